import numpy as np
import pytest
import sklearn.datasets
import torch

from gm_lab.data import photos

SPLITS = ["train", "test"]


@pytest.fixture
def numbered_photographs(monkeypatch):
    """Photographs whose pixels say where they are: column in red and green, which photograph in blue."""

    def load(name):
        image = np.zeros((427, 640, 3), dtype=np.uint8)
        image[..., 0] = np.arange(640) % 200
        image[..., 1] = np.arange(640) // 200
        image[..., 2] = 255 * (name == "flower.jpg")
        return image

    monkeypatch.setattr(sklearn.datasets, "load_sample_image", load)


def test_a_single_patch_leaves_one_photograph_out():
    assert torch.equal(photos(16, 1, seed=4), photos(16, 1, seed=4))
    assert photos(16, 1).std() > 0


@pytest.mark.parametrize("split", SPLITS)
def test_patches_have_the_promised_form(split):
    patches = photos(16, 200, split=split)
    assert patches.shape == (200, 3, 16, 16)
    assert patches.dtype == torch.float32
    assert patches.min() >= 0
    assert patches.max() <= 1
    assert photos(90, 2, split=split, grey=True).shape == (2, 1, 90, 90)


def test_a_seed_decides_everything():
    torch.manual_seed(1)
    first = photos(12, 20, seed=3)
    torch.manual_seed(2)
    assert torch.equal(first, photos(12, 20, seed=3))
    assert not torch.equal(first, photos(12, 20, seed=4))


def test_grey_patches_are_the_brightness_of_the_same_places():
    red, green, blue = photos(8, 50, seed=1).unbind(1)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    assert torch.allclose(photos(8, 50, seed=1, grey=True)[:, 0], brightness, atol=1e-6)


def test_train_and_test_share_no_pixel(numbered_photographs):
    def columns(split):  # {(photograph, column of the halved photograph)}
        red, green, blue = (255 * photos(16, 2000, split=split)).unbind(1)
        column = ((200 * green + red) / 2).floor().long()
        return set(zip((blue > 128).flatten().tolist(), column.flatten().tolist(), strict=True))

    train, test = columns("train"), columns("test")
    assert not train & test
    everything = {(flower, column) for flower in (False, True) for column in range(320)}
    assert len(everything - train - test) <= 4  # the outermost columns need luck


@pytest.mark.parametrize("split", SPLITS)
def test_most_patches_show_something(split):
    contrast = photos(16, 1000, split=split, grey=True).flatten(1).std(1)
    assert (contrast > 0.02).float().mean() > 0.9


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="split must be train or test, got 'all'"):
        photos(split="all")
    with pytest.raises(ValueError, match="size must be at most 90, got 91"):
        photos(91)
    with pytest.raises(ValueError, match="size must be a positive whole number, got 0"):
        photos(0)
    with pytest.raises(ValueError, match="n must be a positive whole number, got -1"):
        photos(n=-1)

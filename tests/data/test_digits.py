import pytest
import torch

from gm_lab.data import Images, digits


def test_all_digits_are_there_in_the_promised_form():
    images, labels = everything = digits()
    assert isinstance(everything, Images)
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == torch.float32
    assert (images.min(), images.max()) == (0, 1)
    assert labels.dtype == torch.int64
    assert labels.unique().tolist() == list(range(10))


def test_the_parts_are_disjoint_and_cover_everything():
    parts = [digits(split) for split in ("train", "validation", "test")]
    assert [len(part.images) for part in parts] == [1297, 250, 250]

    def rows(images, labels):  # no two digits have the same pixels, so that pixels identify a digit
        return {(label.item(), image.numpy().tobytes()) for image, label in zip(images, labels, strict=True)}

    found = [rows(*part) for part in parts]
    assert len(rows(*digits())) == 1797
    assert set.union(*found) == rows(*digits())
    assert sum(len(part) for part in found) == 1797
    for part in parts:
        assert part.labels.unique().tolist() == list(range(10))


def test_the_split_does_not_depend_on_the_global_seed():
    torch.manual_seed(1)
    first = digits("test")
    torch.manual_seed(2)
    assert torch.equal(first.images, digits("test").images)
    # The very same images in every version of PyTorch: a reported test score must keep its meaning.
    assert first.labels[:10].tolist() == [8, 5, 5, 1, 9, 6, 6, 4, 3, 0]


def test_a_wrong_split_is_refused():
    with pytest.raises(ValueError, match="split must be one of all, train, validation, test, got 'valid'"):
        digits("valid")

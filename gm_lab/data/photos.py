"""Patches of real photographs: a pagoda by a lake and a dahlia, which come with scikit-learn."""

import torch
from torch import Tensor

from gm_lab.data.factors import require_count

# The column at which each photograph is cut, at half its size (213 × 320): test patches come from the left of
# it, training patches from the right. Pagoda and flower are on both sides of their cut.
CUTS = {"china.jpg": 90, "flower.jpg": 125}
LARGEST = min(CUTS.values())
CANDIDATES = 3


def photos(size: int = 16, n: int = 1000, seed: int = 0, split: str = "train", grey: bool = False) -> Tensor:
    """Cut `n` square patches out of two photographs: (n, 3, size, size), or (n, 1, size, size) if `grey`.

    The photographs are halved in size first, so that a patch of 16 pixels shows a roof or a petal. Much of
    both is empty sky or dark background: of three random places the one with the most contrast is taken.
    Patches of one split may overlap; no pixel of a "test" patch is in any "train" patch. A `seed` decides the
    places, the same for grey and colour. `size` is at most 90.

    Raises ValueError for another split, and for numbers that are not whole, not positive or too large.

    Source: scikit-learn's `load_sample_images` (both CC BY 2.0): china.jpg by danielbuechele,
    https://www.flickr.com/photos/danielbuechele/6061409035; flower.jpg, credited there to danielbuechele,
    from https://www.flickr.com/photos/vultilion/6056698931.
    """
    require_count("size", size)
    require_count("n", n)
    if size > LARGEST:
        raise ValueError(f"size must be at most {LARGEST}, got {size}")
    sides = _sides(split)
    generator = torch.Generator().manual_seed(seed)
    which = torch.randint(len(sides), (n,), generator=generator)
    places = torch.rand(n, CANDIDATES, 2, generator=generator)

    patches = torch.empty(n, 3, size, size)
    for index, photo in enumerate(sides):
        chosen = which == index
        if not chosen.any():
            continue
        everywhere = photo.unfold(1, size, 1).unfold(2, size, 1)  # (3, rows, columns, size, size), a view
        rows, columns = (places[chosen] * torch.tensor(everywhere.shape[1:3])).long().unbind(-1)
        candidates = everywhere[:, rows, columns].movedim(0, 2)  # (chosen, candidates, 3, size, size)
        best = _grey(candidates).flatten(2).std(-1).argmax(1)
        patches[chosen] = candidates[torch.arange(len(best)), best]
    return _grey(patches) if grey else patches


def _sides(split: str) -> list[Tensor]:
    """The half-size photographs, (3, 213, columns) each, on the side of the cut that belongs to `split`."""
    if split not in ("train", "test"):
        raise ValueError(f"split must be train or test, got {split!r}")
    from sklearn.datasets import load_sample_image  # here, because it takes a second

    sides = []
    for name, cut in CUTS.items():
        photo = torch.tensor(load_sample_image(name)).permute(2, 0, 1).float() / 255
        half = torch.nn.functional.avg_pool2d(photo, 2)
        sides.append(half[:, :, :cut] if split == "test" else half[:, :, cut:])
    return sides


def _grey(images: Tensor) -> Tensor:
    """Perceived brightness (ITU-R BT.601) of images (…, 3, height, width): (…, 1, height, width)."""
    return torch.einsum("...chw,c->...hw", images, torch.tensor([0.299, 0.587, 0.114])).unsqueeze(-3)

"""Small real images: 1,797 handwritten digits that come with scikit-learn, so that nothing is downloaded."""

from typing import NamedTuple

import torch
from torch import Tensor

SPLITS = {"train": slice(0, 1297), "validation": slice(1297, 1547), "test": slice(1547, 1797)}


class Images(NamedTuple):
    """Images, float32 in [0, 1], (n, channels, height, width), and their classes, int64, (n,)."""

    images: Tensor
    labels: Tensor


def digits(split: str = "all") -> Images:
    """Load handwritten digits, 8×8, 17 levels of grey: images (n, 1, 8, 8) and labels 0 to 9, (n,).

    `split` is "train" (1,297 images), "validation" (250), "test" (250), or "all" (1,797). The three parts are
    disjoint, and the same in every run. Raises ValueError for any other name.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository (1998), https://doi.org/10.24432/C50P49: its test set, by 13 writers. Every writer may be
    in every part here, so a test score says nothing about new writers.
    """
    if split != "all" and split not in SPLITS:
        raise ValueError(f"split must be one of all, {', '.join(SPLITS)}, got {split!r}")
    from sklearn.datasets import (
        load_digits,
    )  # here, because it takes a second that other data sets need not pay

    source = load_digits()
    images = torch.from_numpy(source.images).float().unsqueeze(1) / 16
    labels = torch.from_numpy(source.target).long()
    if split == "all":
        return Images(images, labels)
    # Shuffled first: neighbours in the file may be by the same writer.
    shuffled = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    rows = shuffled[SPLITS[split]]
    return Images(images[rows], labels[rows])

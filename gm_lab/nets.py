"""Building blocks that two or more model families use."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.SiLU) -> nn.Sequential:
    """A fully connected network: linear layers with an activation between them, none after the last.

    Args:
        sizes: width of the input, of every hidden layer and of the output, e.g. `[64, 256, 10]`.
            Two sizes make a linear map.
        activation: makes the module between two layers.

    Returns:
        `nn.Sequential` from `(..., sizes[0])` to `(..., sizes[-1])`.

    Raises:
        ValueError: fewer than two sizes, or a size that is not a positive integer.
    """
    if len(sizes) < 2 or any(not isinstance(size, int) or size < 1 for size in sizes):
        raise ValueError(f"sizes must be at least two positive integers, got {list(sizes)}")
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])

"""Factors of drawn pictures: named numbers with a range, sampled and checked in one place.

A drawn data set comes with the true causes of every picture. They are kept as a dictionary
`{name: tensor of shape (n,)}`, so that a reader can change one (`factors["smile"] = 1`) and draw again.
"""

from typing import NamedTuple

import torch
from torch import Tensor

Factors = dict[str, Tensor]


class Factor(NamedTuple):
    """One cause of a picture: what it means, and the values it may take (`whole`: only 0, 1, 2, …)."""

    meaning: str
    low: float
    high: float
    whole: bool = False


def sample_factors(table: dict[str, Factor], n: int, seed: int, fixed: dict[str, float | Tensor]) -> Factors:
    """Draw `n` values of every factor, independent and uniform; `fixed` ones get the given value instead.

    The numbers are drawn picture by picture, so the first 10 of 1,000 pictures are the same as 10 pictures.
    """
    require_count("n", n)
    uniform = torch.rand(n, len(table), generator=torch.Generator().manual_seed(seed))
    factors = {}
    for column, (name, factor) in zip(uniform.unbind(1), table.items(), strict=True):
        if factor.whole:
            levels = factor.high - factor.low + 1
            factors[name] = factor.low + (levels * column).floor()
        else:
            factors[name] = factor.low + (factor.high - factor.low) * column
    return check_factors(table, {**factors, **fixed})


def check_factors(table: dict[str, Factor], factors: dict[str, float | Tensor]) -> Factors:
    """Return the factors as float32 tensors of shape (n,); a plain number counts for all n pictures.

    Raises ValueError for a name that is missing or unknown, for lengths that differ, and for values that are
    out of range.
    """
    unknown, missing = [*(factors.keys() - table.keys())], [*(table.keys() - factors.keys())]
    if unknown:
        raise ValueError(f"unknown factors {sorted(unknown)}; the factors are {', '.join(table)}")
    if missing:
        raise ValueError(f"missing factors {sorted(missing)}; all of these are needed: {', '.join(table)}")

    # In the table's order, on the CPU, where the pictures are drawn.
    values = {name: torch.as_tensor(factors[name], dtype=torch.float32, device="cpu") for name in table}
    lengths = {len(value) for value in values.values() if value.dim() == 1}
    if any(value.dim() > 1 for value in values.values()) or len(lengths) > 1:
        shapes = {name: tuple(value.shape) for name, value in values.items()}
        raise ValueError(f"every factor must be a number or a tensor of one common shape (n,), got {shapes}")
    n = lengths.pop() if lengths else 1
    require_count("the number of pictures", n)

    for name, value in values.items():
        low, high, whole = table[name].low, table[name].high, table[name].whole
        in_range = (value >= low) & (value <= high)  # false for nan
        if not in_range.all() or (whole and not (value == value.round()).all()):
            kind = "be a whole number" if whole else "lie"
            got = f"values in [{value.min():g}, {value.max():g}]"
            raise ValueError(f"{name} must {kind} in [{low:g}, {high:g}] ({table[name].meaning}), got {got}")
    return {name: value.expand(n).clone() for name, value in values.items()}


def require_count(name: str, value: int) -> None:
    """Raise ValueError unless `value` is a positive whole number."""
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a positive whole number, got {value!r}")

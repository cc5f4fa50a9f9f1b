"""Points in the plane with a known density, inside about [-4, 4]²: where a model's every mistake can be seen.

    data = toy2d.ring()
    x = data.sample(1000, seed=0)    # (1000, 2)
    data.log_prob(x)                 # (1000,), nats

The densities of `ring`, `grid` and `checkerboard` are exact. `two_moons` and `spiral` are curves blurred by
Gaussian noise; their density is an integral along the curve without a closed form, computed by quadrature.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gm_lab.data.factors import require_count

QUADRATURE_NODES = 256


class GaussianMixture2D:
    """A mixture of round Gaussians: means (k, 2), one standard deviation, weights (k,) or equal.

    Raises ValueError for means of another shape, a deviation that is not positive, weights that do not fit.
    """

    def __init__(self, means: Tensor, std: float, weights: Tensor | None = None):
        if means.dim() != 2 or means.shape[1] != 2:
            raise ValueError(f"means must have shape (k, 2), got {tuple(means.shape)}")
        if not std > 0:
            raise ValueError(f"std must be positive, got {std}")
        weights = torch.ones(len(means)) if weights is None else weights
        if weights.shape != (len(means),) or not (weights > 0).all():
            raise ValueError(f"weights must be {len(means)} positive numbers, got {weights}")
        self.means, self.std, self.weights = means, std, weights / weights.sum()

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """Draw `n` points, (n, 2), always the same for one seed."""
        generator = _generator(n, seed)
        component = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        return self.means[component] + self.std * torch.randn(n, 2, generator=generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats at points (…, 2): shape (…)."""
        _require_points(x)
        components = Independent(Normal(self.means.to(x), self.std), 1)
        return MixtureSameFamily(Categorical(self.weights.to(x)), components).log_prob(x)


class NoisyCurves:
    """Points spread along curves, each curve as likely as the other, plus Gaussian noise.

    A curve takes positions t in [0, 1], (n,), and returns points (n, 2); t is uniform.
    """

    def __init__(self, curves: list[Callable[[Tensor], Tensor]], std: float):
        if not std > 0:
            raise ValueError(f"std must be positive, got {std}")
        self.curves, self.std = curves, std

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """Draw `n` points, (n, 2), always the same for one seed."""
        generator = _generator(n, seed)
        which = torch.randint(len(self.curves), (n,), generator=generator)
        position = torch.rand(n, generator=generator)
        on_each = torch.stack([curve(position) for curve in self.curves])  # (curves, n, 2)
        return on_each[which, torch.arange(n)] + self.std * torch.randn(n, 2, generator=generator)

    def log_prob(self, x: Tensor, nodes: int = QUADRATURE_NODES) -> Tensor:
        """Log-density in nats at points (…, 2): shape (…).

        Not a closed form: p(x) = ∫ N(x; curve(t), std²) dt is replaced by Gauss–Legendre quadrature with
        `nodes` nodes in all, a mixture of that many Gaussians. With the default arguments the error is below
        0.001 nats; half the std needs twice the nodes.
        """
        places, weights = torch.tensor(
            np.array(np.polynomial.legendre.leggauss(nodes // len(self.curves)))
        ).float()
        means = torch.cat([curve((places + 1) / 2) for curve in self.curves])
        return GaussianMixture2D(means, self.std, weights.repeat(len(self.curves))).log_prob(x)


class Checkerboard:
    """Uniform on the dark squares of a board on [-4, 4]² with `squares` × `squares` squares."""

    def __init__(self, squares: int):
        if not isinstance(squares, int) or squares < 2 or squares % 2:
            raise ValueError(f"squares must be an even number, at least 2, got {squares!r}")
        self.squares, self.side = squares, 8 / squares

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """Draw `n` points, (n, 2), always the same for one seed."""
        generator = _generator(n, seed)
        row = torch.randint(self.squares, (n,), generator=generator)
        half = torch.randint(self.squares // 2, (n,), generator=generator)
        column = 2 * half + row % 2  # every other square is dark, and the rows alternate
        corner = torch.stack([column, row], dim=1) * self.side - 4
        return corner + self.side * torch.rand(n, 2, generator=generator)

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density in nats at points (…, 2): shape (…). It is -log 32 on dark squares, -inf elsewhere."""
        _require_points(x)
        square = ((x + 4) / self.side).floor()
        on_board = ((square >= 0) & (square < self.squares)).all(-1)
        dark = square.sum(-1) % 2 == 0
        return torch.where(on_board & dark, -math.log(32), -math.inf).to(x)


def ring(modes: int = 8, radius: float = 3.0, std: float = 0.2) -> GaussianMixture2D:
    """Gaussians evenly on a circle: which modes does a model miss?"""
    require_count("modes", modes)
    angle = 2 * math.pi * torch.arange(modes) / modes
    return GaussianMixture2D(radius * torch.stack([angle.cos(), angle.sin()], dim=1), std)


def grid(side: int = 5, spacing: float = 1.5, std: float = 0.1) -> GaussianMixture2D:
    """A square grid of `side` × `side` Gaussians around the origin."""
    require_count("side", side)
    ticks = spacing * (torch.arange(side) - (side - 1) / 2)
    return GaussianMixture2D(torch.cartesian_prod(ticks, ticks), std)


def two_moons(std: float = 0.2) -> NoisyCurves:
    """Two half circles of radius 2, hooked into each other."""

    def upper(t: Tensor) -> Tensor:
        return torch.stack([2 * torch.cos(math.pi * t) - 1, 2 * torch.sin(math.pi * t) - 0.5], dim=-1)

    return NoisyCurves([upper, lambda t: -upper(t)], std)


def spiral(std: float = 0.15) -> NoisyCurves:
    """One arm that winds outwards almost twice, with about as many points on every piece of it."""

    def arm(t: Tensor) -> Tensor:
        radius = (0.25 + 12 * t).sqrt()  # 0.5 to 3.5; the root makes up for the longer turns outside
        angle = 1.2 * math.pi * radius
        return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)

    return NoisyCurves([arm], std)


def checkerboard(squares: int = 4) -> Checkerboard:
    """Sharp edges and a density that is zero in between: hard for every smooth model."""
    return Checkerboard(squares)


def _generator(n: int, seed: int) -> torch.Generator:
    require_count("n", n)
    return torch.Generator().manual_seed(seed)


def _require_points(x: Tensor) -> None:
    if x.shape[-1:] != (2,):
        raise ValueError(f"x must have shape (…, 2), got {tuple(x.shape)}")

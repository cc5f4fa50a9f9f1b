"""How far apart two sets of samples are, in distances that need no density."""

import torch
from torch import Tensor


def wasserstein_1d(x: Tensor, y: Tensor) -> Tensor:
    """Wasserstein-1 distance of two sets of equally many numbers: how far each has to move on average.

    On a line the cheapest transport keeps the order, so it pairs the sorted values.

    Args:
        x, y: `(n,)`.

    Returns:
        A scalar, in the units of x.

    Raises:
        ValueError: shapes that differ or are not `(n,)`, or no values.

    Source: Peyré and Cuturi (2019), remark 2.28.
    """
    if x.dim() != 1 or x.shape != y.shape or len(x) == 0:
        raise ValueError(f"x and y must have the same shape (n,), got {tuple(x.shape)} and {tuple(y.shape)}")
    return (x.sort().values - y.sort().values).abs().mean()


def frechet_distance(x: Tensor, y: Tensor) -> Tensor:
    """Squared Wasserstein-2 distance of the Gaussians with the means and covariances of two sets.

    The square root of a product of covariances has the trace Σ √λ over the eigenvalues λ of the product.

    Args:
        x, y: features `(n, dims)` and `(m, dims)`, at least two rows each.

    Returns:
        A scalar, in squared units of x; 0 for sets of equal mean and covariance.

    Raises:
        ValueError: other shapes.

    Source: Dowson and Landau (1982); Heusel et al. (2017) for image features.
    """
    for name, features in [("x", x), ("y", y)]:
        if features.dim() != 2 or len(features) < 2:
            raise ValueError(f"{name} must have shape (n, dims), n at least 2, got {tuple(features.shape)}")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x and y must have equally many dims, got {x.shape[1]} and {y.shape[1]}")
    covariance_x, covariance_y = (torch.atleast_2d(torch.cov(features.T)) for features in (x, y))
    eigenvalues = torch.linalg.eigvals(covariance_x @ covariance_y).real.clamp(min=0)
    trace = covariance_x.trace() + covariance_y.trace() - 2 * eigenvalues.sqrt().sum()
    return (x.mean(0) - y.mean(0)).square().sum() + trace

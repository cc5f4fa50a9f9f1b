"""Densities, divergences, entropies and bits: the formulas that every chapter stands on.

Every function takes tensors, sums over the last dimension and accepts any leading shape: `(..., dims)`
in, `(...)` out. Logarithms are natural, so results are in nats.

Shapes must say what they mean. Two arguments fit together if one shape is the end of the other,
`(dims,)` with `(batch, dims)` say, or if one of them is a single number; a size-1 dimension is never
stretched in silence.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

LOG_2PI = math.log(2 * math.pi)


def gaussian_log_prob(x: Tensor, mean: Tensor | float, log_var: Tensor | float) -> Tensor:
    """Log-density of a Gaussian with independent dimensions, log N(x; mean, diag(exp(log_var))).

    Args:
        x: `(..., dims)`.
        mean: `(..., dims)`, or a number.
        log_var: logarithm of the variance, `(..., dims)`, or a number.

    Returns:
        `(...)`, in nats per example.

    Raises:
        ValueError: shapes that do not fit.

    Source: Bishop (2006), equation 2.43 with a diagonal covariance.
    """
    x, mean, log_var = _together(x=x, mean=mean, log_var=log_var)
    return -0.5 * (LOG_2PI + log_var + (x - mean) ** 2 * torch.exp(-log_var)).sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor | float) -> Tensor:
    """Log-probability of independent Bernoulli variables: the negative binary cross-entropy.

    Written with log-sigmoids, it stays exact for any finite logit.

    Args:
        x: `(..., dims)` in [0, 1]. For values strictly between 0 and 1 the result is a cross-entropy and no
            longer the log-probability of a discrete variable.
        logits: log p/(1 - p), `(..., dims)`, or a number.

    Returns:
        `(...)`, in nats per example.

    Raises:
        ValueError: x outside [0, 1], or shapes that do not fit.

    Source: Bishop (2006), equation 2.2.
    """
    x, logits = _together(x=x, logits=logits)
    require_unit_interval("x", x)
    return (x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)).sum(-1)


def gaussian_kl(
    mean_q: Tensor, log_var_q: Tensor, mean_p: Tensor | float = 0.0, log_var_p: Tensor | float = 0.0
) -> Tensor:
    """KL(q ‖ p) of two Gaussians with independent dimensions; p is the standard normal by default.

    Args:
        mean_q, log_var_q: mean and logarithm of the variance of q, `(..., dims)`, or numbers.
        mean_p, log_var_p: those of p.

    Returns:
        `(...)`, in nats per example, never negative.

    Raises:
        ValueError: shapes that do not fit, or only numbers.

    Source: Kingma and Welling (2014), appendix B, for a general p.
    """
    mean_q, log_var_q, mean_p, log_var_p = _together(
        mean_q=mean_q, log_var_q=log_var_q, mean_p=mean_p, log_var_p=log_var_p
    )
    log_ratio = log_var_q - log_var_p
    # expm1(r) - r is exp(r) - 1 - r without the cancellation near r = 0.
    return 0.5 * (torch.expm1(log_ratio) - log_ratio + (mean_q - mean_p) ** 2 * torch.exp(-log_var_p)).sum(-1)


def entropy(p: Tensor) -> Tensor:
    """Entropy H(p) = -Σ p log p, the least mean surprise; 0 log 0 counts as 0.

    Args:
        p: probability vectors, `(..., outcomes)`.

    Returns:
        `(...)`, in nats.

    Raises:
        ValueError: negative entries, sums other than 1, or shapes that do not fit.

    Source: Shannon (1948).
    """
    (p,) = _probability_vectors(p=p)
    return -torch.xlogy(p, p).sum(-1)


def cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """Cross-entropy H(p, q) = -Σ p log q: the mean surprise when q is believed and p is true.

    Args:
        p, q: probability vectors, `(..., outcomes)`.

    Returns:
        `(...)`, in nats; infinite where q rules out what p allows.

    Raises:
        ValueError: negative entries, sums other than 1, or shapes that do not fit.

    Source: Cover and Thomas (2006), section 2.
    """
    p, q = _probability_vectors(p=p, q=q)
    return -torch.xlogy(p, q).sum(-1)


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p ‖ q) = Σ p log(p/q): the surprise that believing q adds when p is true.

    Args:
        p, q: probability vectors, `(..., outcomes)`.

    Returns:
        `(...)`, in nats; infinite where q rules out what p allows.

    Raises:
        ValueError: negative entries, sums other than 1, or shapes that do not fit.

    Source: Kullback and Leibler (1951).
    """
    p, q = _probability_vectors(p=p, q=q)
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(-1)


def js_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Jensen-Shannon divergence: the mean KL of p and q to their average.

    Args:
        p, q: probability vectors, `(..., outcomes)`.

    Returns:
        `(...)`, in nats, between 0 and log 2.

    Raises:
        ValueError: negative entries, sums other than 1, or shapes that do not fit.

    Source: Lin (1991).
    """
    p, q = _probability_vectors(p=p, q=q)
    middle = (p + q) / 2
    return (kl_divergence(p, middle) + kl_divergence(q, middle)) / 2


def pinball_loss(error: Tensor, level: float) -> Tensor:
    """Pinball (quantile) loss; its minimizer is the quantile of that level.

    Args:
        error: x - prediction, `(..., dims)`: positive where the prediction is too low.
        level: of the quantile, strictly between 0 and 1.

    Returns:
        `(...)`, in the units of the error.

    Raises:
        ValueError: a level outside (0, 1).

    Source: Koenker and Bassett (1978).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie strictly between 0 and 1, got {level}")
    return torch.maximum(level * error, (level - 1) * error).sum(-1)


def nats_to_bits(nats: Tensor | float) -> Tensor | float:
    """The same amount of information in bits, of any shape: 1 nat is 1/ln 2 = 1.4427 bits."""
    return nats / math.log(2)


def bits_per_dim(log_prob: Tensor | float, dims: int) -> Tensor | float:
    """Bits per dimension, -log_prob / (dims ln 2).

    Args:
        log_prob: in nats, of any shape.
        dims: dimensions of one example.

    Raises:
        ValueError: dims below 1.

    Source: Theis et al. (2016), section 3.1.
    """
    if dims < 1:
        raise ValueError(f"dims must be at least 1, got {dims}")
    return -nats_to_bits(log_prob) / dims


def require_unit_interval(name: str, x: Tensor) -> None:
    """Raises ValueError that names x and its range, unless all its values lie in [0, 1]. Any shape."""
    low, high = torch.aminmax(x)
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{name} must lie in [0, 1], got values in [{low:.4g}, {high:.4g}]")


def _together(**arguments: Tensor | float) -> list[Tensor]:
    """The arguments as tensors of one dtype and device; an error where their shapes do not fit."""
    tensors = [value for value in arguments.values() if isinstance(value, Tensor) and value.dim() > 0]
    if not tensors:
        raise ValueError(f"{_names(arguments)}: one must be a tensor of shape (..., dims), got only numbers")
    largest = max(tensors, key=Tensor.dim)
    if not largest.is_floating_point():
        raise ValueError(f"{_names(arguments)} must be floating point, got {largest.dtype}")
    for value in tensors:
        if value.shape != largest.shape[largest.dim() - value.dim() :]:
            shapes = ", ".join(f"{name} {tuple(torch.as_tensor(v).shape)}" for name, v in arguments.items())
            raise ValueError(f"shapes do not fit: {shapes}; one must be the end of the other, or a number")
    return [
        torch.as_tensor(value, dtype=largest.dtype, device=largest.device) for value in arguments.values()
    ]


def _probability_vectors(**arguments: Tensor) -> list[Tensor]:
    tensors = _together(**arguments)
    for name, p in zip(arguments, tensors, strict=True):
        if not p.min() >= 0:
            raise ValueError(f"{name} must not be negative, got a smallest value of {p.min():.4g}")
        total = p.sum(-1)
        if not (total - 1).abs().max() < 1e-3:
            raise ValueError(f"{name} must sum to 1, got sums in [{total.min():.4g}, {total.max():.4g}]")
    return tensors


def _names(arguments: dict) -> str:
    return ", ".join(arguments)

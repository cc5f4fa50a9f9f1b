"""Maximum likelihood, and what the marginal likelihood is and how to estimate it.

The two latent-variable models whose log p(x) is exact stand here as well, the mixture of Gaussians and
probabilistic PCA: every approximation in the book is first held against them.
"""

import math

import torch
from torch import Tensor
from torch.distributions import LowRankMultivariateNormal

from gm_lab.probability import LOG_2PI, gaussian_kl, gaussian_log_prob, require_unit_interval


def fit_gaussian(x: Tensor) -> tuple[Tensor, Tensor]:
    """Maximum-likelihood Gaussian with independent dimensions: the mean and the 1/n variance.

    Args:
        x: `(n, dims)`.

    Returns:
        mean and log_var, each `(dims,)`. A dimension that never varies gets log_var = -inf: its
        likelihood has no maximum.

    Raises:
        ValueError: an empty x, or another shape.

    Source: Bishop (2006), equations 2.121 and 2.122.
    """
    _require_matrix(x)
    return x.mean(0), x.var(0, correction=0).log()


def fit_bernoulli(x: Tensor) -> Tensor:
    """Maximum-likelihood Bernoulli probabilities: the share of ones in each dimension.

    Args:
        x: `(n, dims)` in [0, 1].

    Returns:
        probabilities, `(dims,)`.

    Raises:
        ValueError: an empty x, another shape, or values outside [0, 1].

    Source: Bishop (2006), equation 2.8.
    """
    _require_matrix(x)
    require_unit_interval("x", x)
    return x.mean(0)


def gradient_ascent(objective, parameters: list[Tensor], steps: int, lr: float) -> Tensor:
    """Climb `objective()` by plain gradient steps, θ ← θ + lr · ∇θ, changing the parameters in place.

    Args:
        objective: a function without arguments that returns a scalar.
        parameters: leaf tensors with `requires_grad`.
        steps: number of steps.
        lr: step size.

    Returns:
        the objective before each step, `(steps,)`.

    Raises:
        ValueError: steps below 1.
        FloatingPointError: the objective is no longer finite, because the step size is too large.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    values = []
    for step in range(steps):
        value = objective()
        if not torch.isfinite(value):
            raise FloatingPointError(f"the objective became {value.item()} at step {step}; try lr below {lr}")
        gradients = torch.autograd.grad(value, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter += lr * gradient
        values.append(value.detach())
    return torch.stack(values)


def log_mean_exp(log_weights: Tensor, dim: int = 0) -> Tensor:
    """log of the mean of exp(log_weights), without overflow or underflow.

    With log_weights = log p(x, z) - log q(z), z drawn from q, it estimates log p(x): by importance sampling
    for a good proposal q, by plain Monte Carlo for q = the prior. The estimate of p(x) is unbiased, so that
    of log p(x) is too low on average (Jensen), and less so with more samples.

    Args:
        log_weights: of any shape, in nats.
        dim: the dimension of the samples, which goes away.

    Raises:
        ValueError: no samples.

    Source: Burda et al. (2016), equation 8.
    """
    if log_weights.shape[dim] == 0:
        raise ValueError("log_weights must hold at least one sample, got none")
    return torch.logsumexp(log_weights, dim) - math.log(log_weights.shape[dim])


def effective_sample_size(log_weights: Tensor, dim: int = 0) -> Tensor:
    """How many equally weighted samples the weighted ones are worth, (Σw)² / Σw².

    Args:
        log_weights: of any shape; a common factor of the weights does not matter.
        dim: the dimension of the samples, which goes away.

    Returns:
        between 1 and the number of samples.

    Source: Owen (2013), section 9.3.
    """
    return 1 / torch.softmax(log_weights, dim).square().sum(dim)


def mixture_log_prob(x: Tensor, weights: Tensor, means: Tensor, log_vars: Tensor) -> Tensor:
    """Exact log p(x) of a mixture of Gaussians: the latent component is summed out.

    Args:
        x: `(..., dims)`.
        weights: `(components,)`, a probability vector.
        means, log_vars: `(components, dims)`.

    Returns:
        `(...)`, in nats.

    Raises:
        ValueError: shapes that do not fit.

    Source: Bishop (2006), equation 9.7.
    """
    if means.dim() != 2 or means.shape != log_vars.shape or weights.shape != means.shape[:1]:
        raise ValueError(
            "expected weights (components,), means and log_vars (components, dims), got "
            f"{tuple(weights.shape)}, {tuple(means.shape)}, {tuple(log_vars.shape)}"
        )
    log_joint = [
        weight.log() + gaussian_log_prob(x, mean, log_var)
        for weight, mean, log_var in zip(weights, means, log_vars, strict=True)
    ]
    return torch.logsumexp(torch.stack(log_joint), dim=0)


class ProbabilisticPCA:
    """The linear-Gaussian latent-variable model x = W z + mean + noise, in which everything is exact.

    z ~ N(0, I), noise ~ N(0, exp(log_var) I).

    Args:
        weight: W, `(dims, latent_dim)`.
        mean: `(dims,)`.
        log_var: logarithm of the noise variance, a scalar tensor.

    Raises:
        ValueError: other shapes.

    Source: Tipping and Bishop (1999).
    """

    def __init__(self, weight: Tensor, mean: Tensor, log_var: Tensor):
        if weight.dim() != 2 or mean.shape != weight.shape[:1] or torch.as_tensor(log_var).dim() != 0:
            raise ValueError(
                "expected weight (dims, latent_dim), mean (dims,) and a scalar log_var, got "
                f"{tuple(weight.shape)}, {tuple(mean.shape)}, {tuple(torch.as_tensor(log_var).shape)}"
            )
        self.weight, self.mean, self.log_var = weight, mean, torch.as_tensor(log_var, dtype=weight.dtype)

    @classmethod
    def fit(cls, x: Tensor, latent_dim: int) -> "ProbabilisticPCA":
        """Maximum likelihood in closed form, from the eigenvectors of the covariance.

        Args:
            x: `(n, dims)`.
            latent_dim: from 1 to dims - 1.

        Raises:
            ValueError: another shape or latent_dim.

        Source: Tipping and Bishop (1999), equations 7 and 8.
        """
        _require_matrix(x)
        dims = x.shape[1]
        if not 1 <= latent_dim < dims:
            raise ValueError(
                f"latent_dim must lie in 1..{dims - 1} for {dims}-dimensional data, got {latent_dim}"
            )
        eigenvalues, eigenvectors = torch.linalg.eigh(torch.cov(x.T, correction=0))  # ascending
        variance = eigenvalues[:-latent_dim].mean()  # what the discarded directions hold on average
        scale = (eigenvalues[-latent_dim:] - variance).clamp(min=0).sqrt()
        return cls(eigenvectors[:, -latent_dim:] * scale, x.mean(0), variance.log())

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x), Gaussian with covariance W Wᵀ + exp(log_var) I: x `(n, dims)` -> `(n,)`."""
        noise = self.log_var.exp().expand(len(self.mean))
        return LowRankMultivariateNormal(self.mean, self.weight, noise).log_prob(x)

    def log_joint(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(z) + log p(x | z): x `(..., dims)`, z `(..., latent_dim)` -> `(...)`, in nats."""
        return gaussian_log_prob(z, 0.0, 0.0) + gaussian_log_prob(x, self.decode(z), self.log_var)

    def decode(self, z: Tensor) -> Tensor:
        """The mean of p(x | z), W z + mean: z `(..., latent_dim)` -> `(..., dims)`."""
        return z @ self.weight.T + self.mean

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The exact p(z | x), a Gaussian whose covariance is the same for every x.

        Args:
            x: `(n, dims)`.

        Returns:
            mean `(n, latent_dim)` and covariance `(latent_dim, latent_dim)`.

        Source: Tipping and Bishop (1999), equation 6.
        """
        variance = self.log_var.exp()
        identity = torch.eye(self.weight.shape[1], dtype=self.weight.dtype)
        precision = self.weight.T @ self.weight / variance + identity
        covariance = torch.linalg.inv(precision)
        return (x - self.mean) @ self.weight @ covariance / variance, covariance

    def elbo(self, x: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
        """ELBO of q(z | x) = N(mean, diag(exp(log_var))), its expectation taken in closed form.

        Args:
            x: `(n, dims)`.
            mean, log_var: `(n, latent_dim)`.

        Returns:
            `(n,)`, in nats.
        """
        squared_error = ((x - self.decode(mean)) ** 2).sum(-1) + log_var.exp() @ (self.weight**2).sum(0)
        dims = len(self.mean)
        reconstruction = -0.5 * (dims * (LOG_2PI + self.log_var) + squared_error * torch.exp(-self.log_var))
        return reconstruction - gaussian_kl(mean, log_var)

    def sample(self, n: int, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Ancestral sampling, z from the prior and x given z: x `(n, dims)` and z `(n, latent_dim)`."""
        dims, latent_dim = self.weight.shape
        z = torch.randn(n, latent_dim, generator=generator, dtype=self.weight.dtype)
        noise = torch.randn(n, dims, generator=generator, dtype=self.weight.dtype)
        return self.decode(z) + torch.exp(0.5 * self.log_var) * noise, z


def _require_matrix(x: Tensor) -> None:
    if x.dim() != 2 or len(x) == 0:
        raise ValueError(f"x must have shape (n, dims) with n at least 1, got {tuple(x.shape)}")

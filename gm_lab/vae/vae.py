"""The variational autoencoder (Kingma and Welling 2014; Rezende et al. 2014).

prior            p(z) = N(0, I)
decoder          p(x | z): independent Bernoulli pixels, or Gaussian pixels around a mean image
encoder          q(z | x) = N(mean(x), diag(exp(log_var(x)))), the approximate posterior
objective        log p(x) >= ELBO = E_q[log p(x | z)] - KL(q(z | x) || p(z))
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gm_lab.likelihood import log_mean_exp
from gm_lab.nets import mlp
from gm_lab.probability import (
    bernoulli_log_prob,
    gaussian_kl,
    gaussian_log_prob,
    require_unit_interval,
)


class VAE(nn.Module):
    """A VAE with fully connected encoder and decoder.

    Args:
        image_shape: shape of one image, e.g. `(1, 8, 8)`.
        latent_dim: number of latent variables.
        hidden_dims: widths of the encoder's hidden layers; the decoder has them in reverse. With `()` both
            are linear, and the Gaussian model is probabilistic PCA.
        likelihood: `"bernoulli"` for binary images; grey values in [0, 1] are accepted, but then a
            cross-entropy takes the place of log p(x | z), and the ELBO bounds no log-probability.
            `"gaussian"` for real values, with one learned log-variance for all pixels (the sigma-VAE; Rybkin
            et al. 2021).

    Raises:
        ValueError: an unknown likelihood, or a size that is not a positive integer.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int,
        hidden_dims: Sequence[int] = (256,),
        likelihood: str = "bernoulli",
    ) -> None:
        super().__init__()
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f"likelihood must be 'bernoulli' or 'gaussian', got {likelihood!r}")
        if not isinstance(latent_dim, int) or latent_dim < 1:
            raise ValueError(f"latent_dim must be a positive integer, got {latent_dim!r}")
        self.image_shape = tuple(image_shape)
        self.latent_dim = latent_dim
        self.likelihood = likelihood
        pixels = math.prod(self.image_shape)
        self.encoder = mlp([pixels, *hidden_dims, 2 * latent_dim])
        self.decoder = mlp([latent_dim, *reversed(hidden_dims), pixels])
        if likelihood == "gaussian":
            self.pixel_log_var = nn.Parameter(torch.zeros(()))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of q(z | x), each (batch, latent_dim), for images x (batch, *image_shape)."""
        self._check_images(x)
        mean, log_var = self.encoder(x.flatten(1)).chunk(2, dim=-1)
        return mean, log_var

    def reparameterize(self, mean: Tensor, log_var: Tensor) -> Tensor:
        """A draw mean + std * epsilon, epsilon ~ N(0, I), through which gradients flow (section 2.4)."""
        return mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)

    def decode(self, z: Tensor) -> Tensor:
        """Bernoulli logits or Gaussian means of p(x | z): (..., latent_dim) -> (..., *image_shape)."""
        return self.decoder(z).unflatten(-1, self.image_shape)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats: x (batch, *image_shape), z (..., batch, latent_dim) -> (..., batch)."""
        output = self.decoder(z)
        if self.likelihood == "bernoulli":
            return bernoulli_log_prob(x.flatten(1), output)
        return gaussian_log_prob(x.flatten(1), output, self.pixel_log_var)

    def elbo(self, x: Tensor, n_samples: int = 1) -> Tensor:
        """The evidence lower bound on log p(x), (batch,) in nats, the KL in closed form (equation 10).

        x: (batch, *image_shape). n_samples: draws from q(z | x) for each image, for the expectation.
        """
        reconstruction, kl = self._elbo_terms(x, n_samples)
        return -reconstruction - kl

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Batch means of -ELBO and of its terms, -E_q[log p(x | z)] and the KL; one draw for each image.

        x: (batch, *image_shape). Raises ValueError for another shape, or Bernoulli pixels outside [0, 1].
        """
        reconstruction, kl = (term.mean() for term in self._elbo_terms(x, n_samples=1))
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def log_weights(self, x: Tensor, n_samples: int) -> Tensor:
        """log p(x, z) - log q(z | x) for draws z from q(z | x): (batch, *image_shape) -> (n_samples, batch).

        Their mean estimates the ELBO. If q is the exact posterior, each of them is log p(x).
        """
        mean, log_var, z = self._posterior_draws(x, n_samples)
        log_joint = self.log_likelihood(x, z) + gaussian_log_prob(z, 0.0, 0.0)
        return log_joint - gaussian_log_prob(z, mean, log_var)

    @torch.no_grad()
    def log_prob_bound(self, x: Tensor, n_samples: int = 50) -> Tensor:
        """The importance-weighted lower bound on log p(x), (batch,) in nats, for evaluation: no gradients.

        On average it rises with n_samples from the ELBO to log p(x) (Burda et al. 2016, equation 8).
        x: (batch, *image_shape).
        """
        _require_samples(n_samples)
        images = max(1, 2**20 // (n_samples * math.prod(self.image_shape)))  # a million pixels at a time
        return torch.cat([log_mean_exp(self.log_weights(part, n_samples)) for part in x.split(images)])

    @torch.no_grad()
    def sample(self, n: int, mean: bool = False) -> Tensor:
        """n images from the model, (n, *image_shape): z from the prior, then x drawn from p(x | z).

        mean: return the mean image of p(x | z) instead of a draw, as pictures in papers do.
        """
        z = torch.randn(n, self.latent_dim).to(self.decoder[0].weight)
        output = self.decode(z)
        if self.likelihood == "gaussian":
            return output if mean else self.reparameterize(output, self.pixel_log_var)
        return output.sigmoid() if mean else output.sigmoid().bernoulli()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """The mean image of p(x | z) at the mean of q(z | x): (batch, *image_shape) -> the same."""
        output = self.decode(self.encode(x)[0])
        return output if self.likelihood == "gaussian" else output.sigmoid()

    def _elbo_terms(self, x: Tensor, n_samples: int) -> tuple[Tensor, Tensor]:
        """-E_q[log p(x | z)], by n_samples draws, and KL(q(z | x) || p(z)), each (batch,)."""
        mean, log_var, z = self._posterior_draws(x, n_samples)
        return -self.log_likelihood(x, z).mean(0), gaussian_kl(mean, log_var)

    def _posterior_draws(self, x: Tensor, n_samples: int) -> tuple[Tensor, Tensor, Tensor]:
        _require_samples(n_samples)
        mean, log_var = self.encode(x)
        z = self.reparameterize(mean.expand(n_samples, -1, -1), log_var)  # (n_samples, batch, latent_dim)
        return mean, log_var, z

    def _check_images(self, x: Tensor) -> None:
        if x.shape[1:] != self.image_shape or len(x) == 0:
            expected = ", ".join(map(str, self.image_shape))
            raise ValueError(f"x must have shape (batch, {expected}), got {tuple(x.shape)}")
        if self.likelihood == "bernoulli":
            require_unit_interval("x", x)


def _require_samples(n_samples: int) -> None:
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}")

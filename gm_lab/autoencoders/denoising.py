"""The denoising autoencoder (Vincent et al. 2008).

corruption   x' = x + noise_std * epsilon, or x with some of its numbers set to zero
objective    the error between the clean x and g(f(x'))

For Gaussian noise and the squared error the best reconstruction points up the density of the noisy data,
r(x') - x' = noise_std² ∇ log p(x') (Vincent 2011; Alain and Bengio 2014).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gm_lab.autoencoders.autoencoder import Autoencoder, add_up, require_non_negative


class DenoisingAutoencoder(Autoencoder):
    """An autoencoder that sees corrupted examples and is asked for the clean ones.

    `encode`, `reconstruct` and `error` corrupt nothing: they take x as it is, noisy or clean.

    Args:
        shape, code_dim, hidden_dims, reconstruction: as in `Autoencoder`; the code may be larger than x.
        noise_std: standard deviation of the Gaussian noise, in the units of the data.
        corruption: `"gaussian"` adds noise to every number, `"masking"` sets some of them to zero.
        mask_rate: probability that a number is masked.

    Raises:
        ValueError: an unknown corruption, a negative noise_std, a mask_rate above 1, or what `Autoencoder`
            refuses.
    """

    def __init__(
        self,
        shape: Sequence[int],
        code_dim: int,
        hidden_dims: Sequence[int] = (256,),
        noise_std: float = 0.3,
        corruption: str = "gaussian",
        *,
        mask_rate: float = 0.3,
        reconstruction: str = "squared_error",
    ) -> None:
        super().__init__(shape, code_dim, hidden_dims, reconstruction)
        if corruption not in ("gaussian", "masking"):
            raise ValueError(f"corruption must be 'gaussian' or 'masking', got {corruption!r}")
        require_non_negative(noise_std=noise_std, mask_rate=mask_rate)
        if mask_rate > 1:
            raise ValueError(f"mask_rate must lie in [0, 1], got {mask_rate}")
        self.noise_std = noise_std
        self.corruption = corruption
        self.mask_rate = mask_rate

    def corrupt(self, x: Tensor) -> Tensor:
        """A fresh corruption of x, of the same shape; Gaussian noise may leave [0, 1]."""
        if self.corruption == "gaussian":
            return x + self.noise_std * torch.randn_like(x)
        return x * (torch.rand_like(x) >= self.mask_rate)

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """The mean error of the reconstruction from a corrupted x to the clean x, (batch, *shape).

        Raises ValueError as `error` does.
        """
        self._check_data(x)
        output = self.decode(self.encode(self.corrupt(x)))
        return add_up(self._distance(x, output).mean())

    def score(self, x: Tensor) -> Tensor:
        """(r(x) - x) / noise_std², an estimate of ∇ log p at noisy x: (batch, *shape) -> the same.

        p is the density of the data after the noise (Alain and Bengio 2014, theorem 1). Raises ValueError
        where the corruption is not Gaussian noise.
        """
        if self.corruption != "gaussian" or self.noise_std == 0:
            raise ValueError(
                f"the score needs Gaussian noise, got {self.corruption!r} with noise_std {self.noise_std}"
            )
        return (self.reconstruct(x) - x) / self.noise_std**2

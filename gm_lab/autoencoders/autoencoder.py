"""The autoencoder (Rumelhart et al. 1986; Hinton and Salakhutdinov 2006).

encoder      code = f(x), fewer numbers than x has
decoder      output = g(code), as large as x
objective    the error between x and g(f(x)), plus penalties on the weights

With linear maps and the squared error it finds the subspace of principal component analysis (Baldi and
Hornik 1989).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gm_lab.nets import mlp
from gm_lab.probability import bernoulli_log_prob, require_unit_interval


class Autoencoder(nn.Module):
    """An autoencoder with fully connected encoder and decoder.

    Args:
        shape: shape of one example, e.g. `(1, 8, 8)`.
        code_dim: numbers in a code.
        hidden_dims: widths of the encoder's hidden layers; the decoder has them in reverse. With `()` both
            are linear.
        reconstruction: `"squared_error"`, or `"cross_entropy"` for data in [0, 1], where the decoder's
            outputs are logits and the error is in nats; it vanishes only for data of zeros and ones.
        l1, l2: factors of Σ|w| and Σw² over the weights of encoder and decoder; biases are free.

    Raises:
        ValueError: an unknown reconstruction, a size that is not a positive integer, or a negative factor.
    """

    def __init__(
        self,
        shape: Sequence[int],
        code_dim: int,
        hidden_dims: Sequence[int] = (256,),
        reconstruction: str = "squared_error",
        *,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None:
        super().__init__()
        if reconstruction not in ("squared_error", "cross_entropy"):
            raise ValueError(
                f"reconstruction must be 'squared_error' or 'cross_entropy', got {reconstruction!r}"
            )
        if not shape or any(not isinstance(size, int) or size < 1 for size in shape):
            raise ValueError(f"shape must hold positive integers, got {tuple(shape)}")
        require_positive_integers(code_dim=code_dim)
        require_non_negative(l1=l1, l2=l2)
        self.shape = tuple(shape)
        self.code_dim = code_dim
        self.reconstruction = reconstruction
        self.l1, self.l2 = l1, l2
        dims = math.prod(self.shape)
        self.encoder = mlp([dims, *hidden_dims, code_dim])
        self.decoder = mlp([code_dim, *reversed(hidden_dims), dims])

    def encode(self, x: Tensor) -> Tensor:
        """The codes of x: (batch, *shape) -> (batch, code_dim). Raises ValueError for another shape."""
        self._check_shape(x)
        return self.encoder(x.flatten(1))

    def decode(self, code: Tensor) -> Tensor:
        """Values, or logits for the cross-entropy: (batch, code_dim) -> (batch, *shape)."""
        self._check_code(code)
        return self.decoder(code).unflatten(-1, self.shape)

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """What comes back of x, in the units of the data: (batch, *shape) -> the same."""
        output = self.decode(self.encode(x))
        return output if self.reconstruction == "squared_error" else output.sigmoid()

    def error(self, x: Tensor) -> Tensor:
        """The reconstruction error of every example, summed over dimensions: (batch, *shape) -> (batch,).

        Squared units of the data, or nats. Raises ValueError for another shape, or data outside [0, 1]
        where the error is a cross-entropy.
        """
        self._check_data(x)
        return self._distance(x, self.decode(self.encode(x)))

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Batch means: the reconstruction error, the penalties with their factors, and the sum of all.

        x: (batch, *shape). A penalty with the factor 0 is left out. Raises ValueError as `error` does.
        """
        weights = [parameter for parameter in self.parameters() if parameter.dim() > 1]
        penalties = {}
        if self.l1:
            penalties["l1"] = self.l1 * sum(weight.abs().sum() for weight in weights)
        if self.l2:
            penalties["l2"] = self.l2 * sum(weight.square().sum() for weight in weights)
        return add_up(self.error(x).mean(), **penalties)

    def _distance(self, x: Tensor, output: Tensor) -> Tensor:
        """The error of the decoder's output for each example: (batch, *shape) twice -> (batch,)."""
        if self.reconstruction == "cross_entropy":
            return -bernoulli_log_prob(x.flatten(1), output.flatten(1))
        return (x - output).square().flatten(1).sum(-1)

    def _check_data(self, x: Tensor) -> None:
        self._check_shape(x)
        if self.reconstruction == "cross_entropy":
            require_unit_interval("x", x)

    def _check_shape(self, x: Tensor) -> None:
        if x.shape[1:] != self.shape or len(x) == 0:
            expected = ", ".join(map(str, self.shape))
            raise ValueError(f"x must have shape (batch, {expected}), got {tuple(x.shape)}")

    def _check_code(self, code: Tensor) -> None:
        if code.dim() < 2 or code.shape[-1] != self.code_dim:
            raise ValueError(f"code must have shape (batch, {self.code_dim}), got {tuple(code.shape)}")


def add_up(reconstruction: Tensor, **penalties: Tensor) -> dict[str, Tensor]:
    """The dict that `loss` returns: all terms, and under "loss" their sum."""
    return {"loss": reconstruction + sum(penalties.values()), "reconstruction": reconstruction} | penalties


def require_positive_integers(**sizes: int) -> None:
    """Raises ValueError that names the first size that is none."""
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} must be a positive integer, got {size!r}")


def require_non_negative(**factors: float) -> None:
    """Raises ValueError that names the first factor below 0, infinite or not a number."""
    for name, factor in factors.items():
        if not 0 <= factor < math.inf:
            raise ValueError(f"{name} must be a number from 0 up, got {factor}")

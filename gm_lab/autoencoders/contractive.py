"""The contractive autoencoder (Rifai et al. 2011).

encoder      h = sigmoid(W x + b)
decoder      Wᵀ h + c, with the weights of the encoder
penalty      ‖J‖², the squared Frobenius norm of the Jacobian J = ∂h/∂x

With free decoder weights the penalty would cost nothing: a tiny W and a large decoder reconstruct as well.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from gm_lab.autoencoders.autoencoder import Autoencoder, add_up, require_non_negative


class ContractiveAutoencoder(Autoencoder):
    """An autoencoder with one sigmoid layer whose code is asked to change little when x does.

    Args:
        shape, code_dim, reconstruction: as in `Autoencoder`; the code may be larger than x.
        weight: factor of the penalty, in units of the error.

    Raises:
        ValueError: a negative weight, or what `Autoencoder` refuses.
    """

    def __init__(
        self,
        shape: Sequence[int],
        code_dim: int,
        weight: float = 0.1,
        *,
        reconstruction: str = "squared_error",
    ) -> None:
        super().__init__(shape, code_dim, hidden_dims=(), reconstruction=reconstruction)
        require_non_negative(weight=weight)
        self.weight = weight
        self.encoder.append(nn.Sigmoid())
        del self.decoder  # it has the weights of the encoder, and only a bias of its own
        self.decoder_bias = nn.Parameter(torch.zeros(math.prod(self.shape)))

    def decode(self, code: Tensor) -> Tensor:
        """Values, or logits for the cross-entropy: (batch, code_dim) -> (batch, *shape)."""
        self._check_code(code)
        return linear(code, self.encoder[0].weight.T, self.decoder_bias).unflatten(-1, self.shape)

    def jacobian(self, x: Tensor) -> Tensor:
        """∂h/∂x, in closed form: (batch, *shape) -> (batch, code_dim, dims)."""
        code = self.encode(x)
        return (code * (1 - code))[:, :, None] * self.encoder[0].weight

    def contraction(self, x: Tensor) -> Tensor:
        """The penalty ‖J‖² = Σⱼ (hⱼ(1 - hⱼ))² Σᵢ Wⱼᵢ², without its factor: (batch, *shape) -> (batch,).

        Rifai et al. (2011), equation 5: the cost of one more encoding, no Jacobian is made.
        """
        return self._contraction(self.encode(x))

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Batch means of the error and of weight times the penalty ("contraction"), and their sum.

        x: (batch, *shape). Raises ValueError as `error` does.
        """
        self._check_data(x)
        code = self.encode(x)
        reconstruction = self._distance(x, self.decode(code)).mean()
        return add_up(reconstruction, contraction=self.weight * self._contraction(code).mean())

    def _contraction(self, code: Tensor) -> Tensor:
        return (code * (1 - code)).square() @ self.encoder[0].weight.square().sum(1)

"""The stacked autoencoder, trained one layer at a time (Bengio et al. 2007; Vincent et al. 2010).

Layer k is a shallow autoencoder of the codes of layer k - 1 (layer 0: of the data). Stacked, they are one
deep autoencoder, which is then trained as a whole ("fine-tuned").
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gm_lab.autoencoders.autoencoder import Autoencoder
from gm_lab.train import History, fit


class StackedAutoencoder(Autoencoder):
    """A deep autoencoder whose layers can be trained alone first.

    `pretrain` trains layer after layer; `gm_lab.train.fit` then fine-tunes all of them together.

    Args:
        shape: shape of one example, e.g. `(1, 8, 8)`.
        sizes: width of each layer's code; the last one is `code_dim`.
        reconstruction: as in `Autoencoder`; layers above the first always have the squared error.

    Raises:
        ValueError: no sizes, or what `Autoencoder` refuses.
    """

    def __init__(
        self,
        shape: Sequence[int],
        sizes: Sequence[int] = (64, 32, 16),
        reconstruction: str = "squared_error",
    ) -> None:
        if not sizes:
            raise ValueError("sizes must hold at least one positive integer, got none")
        super().__init__(shape, sizes[-1], sizes[:-1], reconstruction)
        self.sizes = tuple(sizes)

    def layer(self, k: int) -> Autoencoder:
        """Layer k as a shallow autoencoder that shares its weights with this one.

        It takes the data, flattened, for k = 0, and the codes of layer k - 1 otherwise.
        """
        if k not in range(len(self.sizes)):
            raise ValueError(f"k must lie in 0..{len(self.sizes) - 1}, got {k}")
        up, down = 2 * k, 2 * (len(self.sizes) - 1 - k)  # a linear map and its activation: two modules
        inputs = self.encoder[up].in_features
        layer = Autoencoder((inputs,), self.sizes[k], (), self.reconstruction if k == 0 else "squared_error")
        layer.encoder, layer.decoder = self.encoder[up : up + 2], self.decoder[down : down + 2]
        return layer

    def pretrain(self, data: Tensor, steps: int, batch_size: int = 64, lr: float = 1e-3) -> list[History]:
        """Train every layer alone, from the data upwards, each on the codes of the one below.

        Args:
            data: `(n, *shape)`.
            steps, batch_size, lr: for each layer, as in `gm_lab.train.fit`.

        Returns:
            one history for each layer.

        Raises:
            ValueError: another shape, or data outside [0, 1] where the error is a cross-entropy.
        """
        self._check_data(data)
        codes, histories = data.flatten(1), []
        for k in range(len(self.sizes)):
            layer = self.layer(k)
            histories.append(fit(layer, codes, steps, batch_size, lr))
            with torch.no_grad():
                codes = layer.encode(codes)
        return histories

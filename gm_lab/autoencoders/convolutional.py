"""The convolutional autoencoder (Masci et al. 2011), with strides in place of pooling.

Each level halves height and width. The decoder doubles them by repeating pixels and then convolving, which
leaves no checkerboard as transposed convolutions do (Odena et al. 2016).
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from gm_lab.autoencoders.autoencoder import Autoencoder


class ConvolutionalAutoencoder(Autoencoder):
    """An autoencoder of images, whose layers look at neighbouring pixels and are the same everywhere.

    Args:
        shape: `(channels, height, width)`; height and width are multiples of 2 to the number of levels.
        code_dim: numbers in a code; a linear layer makes it from the last level.
        channels: feature maps of each level, one level for each number.
        reconstruction: as in `Autoencoder`.

    Raises:
        ValueError: another shape, no levels, or what `Autoencoder` refuses.
    """

    def __init__(
        self,
        shape: Sequence[int],
        code_dim: int,
        channels: Sequence[int] = (16, 32),
        reconstruction: str = "squared_error",
    ) -> None:
        super().__init__(shape, code_dim, hidden_dims=(), reconstruction=reconstruction)
        if not channels or any(not isinstance(number, int) or number < 1 for number in channels):
            raise ValueError(f"channels must hold positive integers, got {tuple(channels)}")
        factor = 2 ** len(channels)
        if len(self.shape) != 3 or self.shape[1] % factor or self.shape[2] % factor:
            raise ValueError(
                "shape must be (channels, height, width) with height and width multiples of "
                f"{factor} for {len(channels)} levels, got {self.shape}"
            )
        levels = [self.shape[0], *channels]
        smallest = (levels[-1], self.shape[1] // factor, self.shape[2] // factor)
        features = smallest[0] * smallest[1] * smallest[2]

        # Encoder and decoder take and give flat vectors, as those of every autoencoder here.
        encoder, decoder = [nn.Unflatten(1, self.shape)], [nn.Linear(code_dim, features)]
        for inputs, outputs in pairwise(levels):
            encoder += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.SiLU()]
        decoder += [nn.Unflatten(1, smallest)]
        for inputs, outputs in pairwise(reversed(levels)):
            decoder += [nn.SiLU(), nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1)]
        self.encoder = nn.Sequential(*encoder, nn.Flatten(), nn.Linear(features, code_dim))
        self.decoder = nn.Sequential(*decoder, nn.Flatten())

"""The recurrent autoencoder of sequences (Sutskever et al. 2014; Srivastava et al. 2015).

encoder      a recurrent network reads the sequence; its last state, through a linear map, is the code
decoder      a second network gets the code at every step, never the sequence, and writes it anew
"""

import torch
from torch import Tensor, nn

from gm_lab.autoencoders.autoencoder import add_up, require_positive_integers


class RecurrentAutoencoder(nn.Module):
    """An autoencoder that turns a sequence of any length into one code of fixed size.

    Args:
        features: numbers at each time.
        code_dim: numbers in a code.
        hidden_dim: size of the state of both networks.
        cell: `"lstm"` (Hochreiter and Schmidhuber 1997) or `"gru"` (Cho et al. 2014).

    Raises:
        ValueError: an unknown cell, or a size that is not a positive integer.
    """

    def __init__(self, features: int, code_dim: int, hidden_dim: int = 32, cell: str = "lstm") -> None:
        super().__init__()
        if cell not in ("lstm", "gru"):
            raise ValueError(f"cell must be 'lstm' or 'gru', got {cell!r}")
        require_positive_integers(features=features, code_dim=code_dim, hidden_dim=hidden_dim)
        self.features = features
        self.code_dim = code_dim
        network = nn.LSTM if cell == "lstm" else nn.GRU
        self.encoder = network(features, hidden_dim, batch_first=True)
        self.to_code = nn.Linear(hidden_dim, code_dim)
        self.decoder = network(code_dim, hidden_dim, batch_first=True)
        self.to_features = nn.Linear(hidden_dim, features)

    def encode(self, x: Tensor) -> Tensor:
        """The codes of sequences: (batch, time, features) -> (batch, code_dim).

        Raises ValueError for another shape, or sequences without a single time.
        """
        if x.dim() != 3 or x.shape[2] != self.features or 0 in x.shape:
            raise ValueError(
                f"x must have shape (batch, time, {self.features}) with batch and time at least 1, "
                f"got {tuple(x.shape)}"
            )
        states, _ = self.encoder(x)  # (batch, time, hidden_dim)
        return self.to_code(states[:, -1])

    def decode(self, code: Tensor, length: int) -> Tensor:
        """Sequences of the given length: (batch, code_dim) -> (batch, length, features)."""
        require_positive_integers(length=length)
        if code.dim() != 2 or code.shape[1] != self.code_dim:
            raise ValueError(f"code must have shape (batch, {self.code_dim}), got {tuple(code.shape)}")
        states, _ = self.decoder(code[:, None].expand(-1, length, -1))  # (batch, length, hidden_dim)
        return self.to_features(states)

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """What comes back of x: (batch, time, features) -> the same."""
        return self.decode(self.encode(x), x.shape[1])

    def error(self, x: Tensor) -> Tensor:
        """The squared error of every sequence, summed over times and features: -> (batch,)."""
        return (x - self.decode(self.encode(x), x.shape[1])).square().sum((1, 2))

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """The batch mean of the squared error, x: (batch, time, features). Raises ValueError as `encode`."""
        return add_up(self.error(x).mean())

"""The sparse autoencoder (Ng 2011; Olshausen and Field 1996 for the idea).

penalty "l1"   Σⱼ |hⱼ|, of a code h made by rectified linear units: exact zeros are possible
penalty "kl"   Σⱼ KL(target ‖ rateⱼ), where rateⱼ is the mean of the sigmoid unit hⱼ over the batch

The code may have more units than x has numbers: what limits it is how few may be active at once.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gm_lab.autoencoders.autoencoder import Autoencoder, add_up, require_non_negative
from gm_lab.probability import kl_divergence, require_unit_interval


class SparseAutoencoder(Autoencoder):
    """An autoencoder whose code is mostly zeros, by a penalty on its activity.

    Args:
        shape, code_dim, hidden_dims, reconstruction: as in `Autoencoder`.
        penalty: `"l1"`, with rectified linear code units, or `"kl"`, with sigmoid ones.
        sparsity: the activation rate that `"kl"` pulls every unit towards, strictly between 0 and 1.
        weight: factor of the penalty, in units of the error.

    Raises:
        ValueError: an unknown penalty, a sparsity outside (0, 1), a negative weight, or what `Autoencoder`
            refuses.
    """

    def __init__(
        self,
        shape: Sequence[int],
        code_dim: int,
        hidden_dims: Sequence[int] = (),
        penalty: str = "l1",
        sparsity: float = 0.05,
        weight: float = 0.1,
        *,
        reconstruction: str = "squared_error",
    ) -> None:
        super().__init__(shape, code_dim, hidden_dims, reconstruction)
        if penalty not in ("l1", "kl"):
            raise ValueError(f"penalty must be 'l1' or 'kl', got {penalty!r}")
        if not 0 < sparsity < 1:
            raise ValueError(f"sparsity must lie strictly between 0 and 1, got {sparsity}")
        require_non_negative(weight=weight)
        self.penalty = penalty
        self.sparsity = sparsity
        self.weight = weight
        self.encoder.append(nn.ReLU() if penalty == "l1" else nn.Sigmoid())

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Batch means of the error and of weight times the penalty ("sparsity"), and their sum.

        x: (batch, *shape). The KL penalty is one number for the batch, because it needs the rates of the
        units; small batches make it noisy. Raises ValueError as `error` does.
        """
        self._check_data(x)
        code = self.encode(x)
        if self.penalty == "l1":
            sparsity = code.abs().sum(-1).mean()
        else:
            sparsity = bernoulli_kl(self.sparsity, code.mean(0)).sum()
        return add_up(self._distance(x, self.decode(code)).mean(), sparsity=self.weight * sparsity)


def bernoulli_kl(target: float, rates: Tensor) -> Tensor:
    """KL(target ‖ rate) between Bernoulli variables, for each rate: any shape -> the same, in nats.

    Rates are kept one rounding error away from 0 and 1, so that a dead unit costs much, but not infinity.

    Raises:
        ValueError: a target or rates outside [0, 1].

    Source: Ng (2011), section 3.
    """
    if not 0 <= target <= 1:
        raise ValueError(f"target must lie in [0, 1], got {target}")
    require_unit_interval("rates", rates)
    smallest = torch.finfo(rates.dtype).eps
    rates = rates.clamp(smallest, 1 - smallest)
    p = torch.tensor([target, 1 - target], dtype=rates.dtype, device=rates.device)
    return kl_divergence(p, torch.stack([rates, 1 - rates], dim=-1))

"""Time series with known causes: windows of heartbeats, most of them healthy, some with a labelled anomaly.

values, is_anomaly, kind = series.heartbeats(500, anomalies=0.2)
series.KINDS[kind[0]]    # "normal", "missing beat", …
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gm_lab.data.factors import require_count

KINDS = ("normal", "missing beat", "extra beat", "wide beat", "inverted T", "weak beat", "noise burst")
SAMPLES_PER_SECOND = 32
SHORTEST = 72  # samples: the second beat is over by then, even in the slowest heart

# A beat is a sum of five Gaussian bumps: middle and width (standard deviation) in seconds, the R peak being
# at zero, and height in millivolts.
WAVES = {
    "P": (-0.17, 0.035, 0.15),
    "Q": (-0.06, 0.025, -0.12),
    "R": (0.0, 0.032, 1.0),
    "S": (0.06, 0.025, -0.25),
    "T": (0.28, 0.060, 0.30),
}


class Series(NamedTuple):
    """Series, float32, (n, length, 1); which are anomalous, bool, (n,); the place in KINDS, int64, (n,)."""

    values: Tensor
    is_anomaly: Tensor
    kind: Tensor


def heartbeats(n: int, length: int = 96, seed: int = 0, anomalies: float = 0.0) -> Series:
    """Draw `n` windows of a drawn electrocardiogram, in millivolts, 32 samples a second: (n, length, 1).

    A window starts about half a second before an R peak. Hearts differ in rate (59 to 73 beats a minute) and
    in the height of every wave; the baseline wanders with the breath, and there is some noise. A window is
    anomalous with probability `anomalies`: something befalls one of its beats, never the first, and all six
    kinds are as likely. Apart from that, the windows are those of the same seed without anomalies.

    Raises ValueError for n < 1, length < 72, or a probability outside [0, 1].

    Beats as sums of Gaussians: P. E. McSharry et al., A dynamical model for generating synthetic
    electrocardiogram signals, IEEE Transactions on Biomedical Engineering 50 (2003).
    """
    require_count("n", n)
    if not isinstance(length, int) or length < SHORTEST:
        raise ValueError(f"length must be a whole number, at least {SHORTEST}, got {length!r}")
    if not 0 <= anomalies <= 1:
        raise ValueError(f"anomalies must lie in [0, 1], got {anomalies}")
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=generator)

    # Healthy hearts. Beat 0 is before the window, beat 1 the first in it.
    seconds = torch.arange(length) / SAMPLES_PER_SECOND
    period = uniform(0.82, 1.02)
    beats = math.ceil(length / SAMPLES_PER_SECOND / 0.82) + 2
    peak = uniform(0.47, 0.53)[:, None] + period[:, None] * (torch.arange(beats) - 1)
    peak = peak + uniform(-0.02, 0.02, beats)
    height = torch.tensor([height for _, _, height in WAVES.values()]) * uniform(0.75, 1.25, 1, len(WAVES))
    height = height * uniform(0.95, 1.05, beats, 1)  # (n, beats, waves)
    width = torch.tensor([width for _, width, _ in WAVES.values()]).expand(n, beats, len(WAVES)).clone()
    breath = 2 * math.pi * (uniform(0.15, 0.35)[:, None] * seconds + uniform(0, 1)[:, None])
    baseline = uniform(0, 0.12)[:, None] * breath.sin()
    noise = 0.03 * torch.randn(n, length, generator=generator)

    # Anomalies: every row draws one, the rows with kind 0 do not use it.
    is_anomaly = torch.rand(n, generator=generator) < anomalies
    kind = torch.randint(1, len(KINDS), (n,), generator=generator) * is_anomaly
    whole = (peak[:, 2:] + 0.45 < seconds[-1]).sum(1).clamp(min=1)  # after the first, up to their T wave
    beat = 2 + (uniform(0, 1) * whole).long()
    at = peak[torch.arange(n), beat]
    early = at - uniform(0.42, 0.5) * period
    burst = uniform(0.1, 0.2)[:, None] * torch.randn(n, length, generator=generator)

    def rows(name: str) -> tuple[Tensor, Tensor]:
        """Row and beat of every anomaly of this kind."""
        row = (kind == KINDS.index(name)).nonzero()[:, 0]
        return row, beat[row]

    height[rows("missing beat")] = 0
    height[rows("weak beat")] *= 0.45
    height[(*rows("inverted T"), 4)] *= -1
    row, which = rows("wide beat")
    width[row, which, 1:4] *= 2
    row, _ = rows("extra beat")
    extra_height = torch.zeros(n, len(WAVES))
    extra_height[row, 1:4] = height[row, 0, 1:4]  # an early beat comes from the ventricles: no P wave
    height = torch.cat([height, extra_height[:, None]], 1)
    width = torch.cat([width, width[:, :1]], 1)
    peak = torch.cat([peak, early[:, None]], 1)
    row, _ = rows("noise burst")
    noise[row] += (burst * ((seconds - at[:, None]).abs() < 0.3))[row]

    values = baseline + noise
    for wave, (middle, _, _) in enumerate(WAVES.values()):
        distance = (seconds - peak[:, :, None] - middle) / width[:, :, wave, None]  # (n, beats, length)
        values += (height[:, :, wave, None] * (-(distance**2) / 2).exp()).sum(1)
    return Series(values.unsqueeze(-1), is_anomaly, kind)

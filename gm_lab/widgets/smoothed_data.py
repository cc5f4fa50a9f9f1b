"""The empirical distribution, smoothed: a Gaussian on every training point."""

from gm_lab.widgets.base import BookWidget, Number, Numbers, source


class SmoothedData(BookWidget):
    """The density (1/n) Σᵢ N(x; xᵢ, std²), and what it says about points it has not seen.

    Task: find the std with the best held-out value; then shrink std and watch the training value rise
    without bound. The empirical distribution is the limit std → 0.

    train: 1 to 12 training points in [-3.6, 3.6], draggable; held_out: 1 to 12 points, fixed;
    std: the width of each Gaussian in [0.01, 3]. The two values are mean log-densities in nats.

    Source: Parzen (1962), On estimation of a probability density function and mode.
    """

    _esm = source("smoothed_data.js")
    heights = (355, 675)
    train = Numbers([-2.5, -1.9, -1.6, -1.0, 0.4, 0.9, 1.3, 2.2], -3.6, 3.6, 1, 12)
    held_out = Numbers([-2.2, -1.3, -0.6, 0.6, 1.1, 1.8], -3.6, 3.6, 1, 12)
    std = Number(0.15, 0.01, 3)

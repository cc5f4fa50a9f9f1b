"""The likelihood of a Gaussian, seen twice: over the data, and over the parameters."""

from gm_lab.widgets.base import BookWidget, Number, Numbers, source


class LikelihoodExplorer(BookWidget):
    """Data on a line, the density N(mean, std²) above them, and log-likelihood contours over (mean, std).

    Task: climb to the top of the log-likelihood by hand; then drag one data point far out and see which way
    the maximum moves.

    data: 2 to 12 points in [-3.6, 3.6], draggable; mean in [-3.5, 3.5]; std in [0.2, 3], both draggable.
    The maximum likelihood estimate is the closed form: the mean, and the standard deviation with 1/n. Nats.

    Source: Bishop (2006), Pattern Recognition and Machine Learning, equations 1.54 to 1.56.
    """

    _esm = source("likelihood_explorer.js")
    heights = (385, 785)
    data = Numbers([-1.9, -0.9, 0.1, 1.1, 2.0, 3.0], -3.6, 3.6, 2, 12)
    mean = Number(-1.4, -3.5, 3.5)
    std = Number(1.3, 0.2, 3)

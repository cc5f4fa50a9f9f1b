"""A Gaussian in the plane: contours, log-density, Mahalanobis distance, and what its marginals miss."""

from gm_lab.widgets.base import BookWidget, Number, Numbers, source


class GaussianContours(BookWidget):
    """Contours of N(mean, Σ) with Σ = [[σ₁², ρσ₁σ₂], [ρσ₁σ₂, σ₂²]], and the log-density at a point x.

    Task: keep both marginals as they are and find a point x where log p(x) and log p(x₁) + log p(x₂)
    differ by more than 2 nats; then find the one correlation at which they never differ.

    mean, x: two coordinates in [-3.5, 3.5], draggable; std: σ₁ and σ₂ in [0.3, 2]; correlation: ρ in
    [-0.95, 0.95]. Log-densities are in nats.

    Source: Bishop (2006), Pattern Recognition and Machine Learning, equations 2.43 and 2.44.
    """

    _esm = source("gaussian_contours.js")
    heights = (364, 655)
    mean = Numbers([0.0, 0.0], -3.5, 3.5, 2)
    x = Numbers([1.0, -1.0], -3.5, 3.5, 2)
    std = Numbers([1.2, 0.9], 0.3, 2, 2)
    correlation = Number(0.7, -0.95, 0.95)

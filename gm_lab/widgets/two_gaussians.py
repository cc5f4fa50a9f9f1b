"""Two Gaussians and the divergences between them, with the integrand that makes up the number."""

from gm_lab.widgets.base import BookWidget, Choice, Number, source


class TwoGaussians(BookWidget):
    """p = N(mean_p, std_p²), q = N(mean_q, std_q²): KL in both directions, Jensen–Shannon, and the integrand.

    Task: make KL(p‖q) large while KL(q‖p) stays small.

    mean_p, mean_q in [-3.5, 3.5]; std_p, std_q in [0.4, 2.5]; drag peak and flank.
    direction: "forward" shades
    p log(p/q), "reverse" shades q log(q/p). All values in nats.

    Source: Kullback and Leibler (1951), On information and sufficiency; Lin (1991), Divergence measures
    based on the Shannon entropy. KL in closed form, Jensen–Shannon by quadrature.
    """

    _esm = source("two_gaussians.js")
    heights = (493, 541)
    mean_p = Number(-0.8, -3.5, 3.5)
    std_p = Number(1.3, 0.4, 2.5)
    mean_q = Number(0.8, -3.5, 3.5)
    std_q = Number(0.7, 0.4, 2.5)
    direction = Choice("forward", "reverse")

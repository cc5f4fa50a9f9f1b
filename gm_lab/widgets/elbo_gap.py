"""log p(x) = ELBO + KL(q ‖ posterior), with a q that you can move."""

from gm_lab.widgets.base import BookWidget, Choice, Number, source


class ElboGap(BookWidget):
    """z ~ N(0, 1), x | z ~ N(f(z), noise²), the exact posterior of z beside q = N(mean, std²), and the ELBO.

    Task: close the gap between the ELBO and log p(x) for the linear decoder. Then choose the quadratic
    decoder and find out how small the gap gets.

    x: the observation in [-3, 3]; mean in [-3, 3], std in [0.1, 2]: drag q's peak; noise in [0.2, 1.5];
    decoder: "linear", f(z) = z, whose posterior is Gaussian, or "quadratic", f(z) = z² - 1, whose posterior
    has two modes once x > -1 + noise²/2 (no Gaussian closes the gap). Nats.

    Source: Kingma and Welling (2014), equations 1 to 3. Expectations in closed form, log p(x) and the gap by
    quadrature.
    """

    _esm = source("elbo_gap.js")
    heights = (587, 685)
    x = Number(1.5, -3, 3)
    mean = Number(0.2, -3, 3)
    std = Number(0.8, 0.1, 2)
    noise = Number(0.6, 0.2, 1.5)
    decoder = Choice("linear", "quadratic")

"""One Gaussian fitted to two modes: covering them or seeking one, depending on the direction of the KL."""

from gm_lab.widgets.base import BookWidget, Number, source


class MixtureFit(BookWidget):
    """p = ½ N(-separation/2, 0.6²) + ½ N(+separation/2, 0.6²), q = N(mean, std²), and both KL divergences.

    Task: drag q until KL(p‖q) is as small as you can make it, then do the same for KL(q‖p); let the two
    buttons (gradient descent) check your answers. Which of the two leaves half of p out?

    separation: distance of the two modes in [0, 6]; mean in [-4.5, 4.5] and std in [0.3, 4]: drag the peak
    and the flank of q. Nats.

    Source: Bishop (2006), Pattern Recognition and Machine Learning, section 10.1.2; Minka (2005), Divergence
    measures and message passing. Integrals on a grid.
    """

    _esm = source("mixture_fit.js")
    heights = (535, 629)
    separation = Number(4, 0, 6)
    mean = Number(0.7, -4.5, 4.5)
    std = Number(1.2, 0.3, 4)

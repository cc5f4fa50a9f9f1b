"""Interactive figures: live with a kernel, and just as interactive in a static page without one."""

from gm_lab.widgets.bits import Bits
from gm_lab.widgets.bottleneck_explorer import BottleneckExplorer
from gm_lab.widgets.denoiser_slider import DenoiserSlider
from gm_lab.widgets.elbo_gap import ElboGap
from gm_lab.widgets.gaussian_contours import GaussianContours
from gm_lab.widgets.latent_plane import LatentPlane
from gm_lab.widgets.likelihood_explorer import LikelihoodExplorer
from gm_lab.widgets.mixture_fit import MixtureFit
from gm_lab.widgets.smoothed_data import SmoothedData
from gm_lab.widgets.two_gaussians import TwoGaussians

__all__ = [
    "Bits",
    "BottleneckExplorer",
    "DenoiserSlider",
    "ElboGap",
    "GaussianContours",
    "LatentPlane",
    "LikelihoodExplorer",
    "MixtureFit",
    "SmoothedData",
    "TwoGaussians",
]

"""What a denoiser does as the noise grows: clean, noisy and denoised image, and both errors."""

import traitlets

from gm_lab.widgets.base import BookWidget, Number, source
from gm_lab.widgets.embedded import Index, as_images, heights, pack


class DenoiserSlider(BookWidget):
    """An image plus `level` times a fixed noise, and what a network, run in the browser, makes of it.

    Task: find the noise level below which the denoiser does harm; then the level at which it shows you
    another digit.

    network: `nn.Sequential` of Linear, ReLU, SiLU, Tanh and Sigmoid, from height · width pixels to as many;
    images: (n, height, width), up to 20 clean images of at most 32 × 32 pixels in [0, 1], 1 is black, as
    ink on paper, or white if photo; noise: as images, standard normal; level in [0, 1], the standard
    deviation of the noise; image: the image at the start. Errors are root mean squared errors of a pixel,
    so that the noisy image's is about `level`. Everything is embedded as float16: 20 000 weights take 53
    KB. Raises ValueError if a layer, a shape or a number does not fit.

    Source: Vincent et al. (2008), Extracting and composing robust features with denoising autoencoders.
    """

    _esm = source("embedded.js", "denoiser_slider.js")
    level = Number(0.3, 0, 1)
    image = Index()
    photo = traitlets.Bool(False).tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    clean = traitlets.Bytes().tag(sync=True)
    noise = traitlets.Bytes().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)

    def __init__(self, network, images, noise, level=0.3, image=0, photo=False):
        images = as_images("images", images)
        noise = as_images("noise", noise, images.shape)
        pixels = images[0].size
        layers, weights = pack(network, pixels, pixels, "network")
        super().__init__(
            layers=layers,
            weights=weights,
            clean=images.astype("<f2").tobytes(),
            noise=noise.astype("<f2").tobytes(),
            image_shape=list(images.shape[1:]),
            photo=photo,
            limits={"level": [0.0, 1.0], "image": [0, len(images) - 1]},
        )
        self.level, self.image, self.heights = level, image, heights(len(images))

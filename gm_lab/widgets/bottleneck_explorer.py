"""What gets through a bottleneck: reconstructions by an autoencoder and by PCA, for every code size."""

import numpy as np
import traitlets

from gm_lab.widgets.base import BookWidget, Number, as_array, source
from gm_lab.widgets.embedded import Index, as_images, heights


class BottleneckExplorer(BookWidget):
    """An image and its two reconstructions from `size` numbers, and the mean errors for every size.

    Task: find the smallest code from which you can still read every digit; then find an image that PCA
    reconstructs better than the autoencoder does.

    originals: (n, height, width), up to 20 images of at most 32 × 32 pixels in [0, 1], 1 is black, as ink on
    paper; reconstructions and pca: {code size: (n, height, width)}, with the same 2 to 12 sizes; errors and
    pca_errors: {code size: mean error}, by default the means over the images shown; size: the code size at
    the start (the smallest); image: the image at the start. All errors are squared errors, summed over the
    pixels of an image. Images are embedded with 256 shades of grey; their errors are computed before that.
    Raises ValueError if sizes, shapes or numbers do not fit.

    Source: Hinton and Salakhutdinov (2006), figure 2.
    """

    _esm = source("embedded.js", "bottleneck_explorer.js")
    size = Number(1, 1, 100_000)
    image = Index()
    sizes = traitlets.List().tag(sync=True)
    errors = traitlets.Dict().tag(sync=True)
    image_errors = traitlets.Dict().tag(sync=True)
    pixels = traitlets.Bytes().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)

    @traitlets.validate("size")
    def _is_a_size(self, proposal):
        if self.sizes and proposal["value"] not in self.sizes:
            raise ValueError(f"size must be one of {self.sizes}, got {proposal['value']:g}")
        return int(proposal["value"])

    def __init__(self, originals, reconstructions, pca, errors=None, pca_errors=None, size=None, image=0):
        originals = as_images("originals", originals)
        sizes = sorted(reconstructions)
        if not 2 <= len(sizes) <= 12 or any(size < 1 or size != int(size) for size in sizes):
            raise ValueError(f"reconstructions must have 2 to 12 code sizes of 1 or more, got {sizes}")
        shown, curves, image_errors = [originals], {}, {}
        for name, images, means in (("reconstructions", reconstructions, errors), ("pca", pca, pca_errors)):
            if sorted(images) != sizes:
                raise ValueError(f"{name} must have the code sizes {sizes}, got {sorted(images)}")
            stack = [as_images(f"{name}[{size}]", images[size], originals.shape) for size in sizes]
            each = ((np.stack(stack) - originals) ** 2).sum((2, 3))  # (sizes, n)
            if means is None:
                means = dict(zip(sizes, each.mean(1), strict=True))
            if sorted(means) != sizes:
                raise ValueError(f"errors of {name} must have the code sizes {sizes}, got {sorted(means)}")
            curve = as_array("errors", [float(means[size]) for size in sizes])
            if not (np.isfinite(curve) & (curve >= 0)).all():
                raise ValueError(f"errors of {name} must be finite and not negative, got {curve.tolist()}")
            curves[name], image_errors[name] = curve.round(6).tolist(), each.round(6).tolist()
            shown += stack
        super().__init__(
            sizes=[int(size) for size in sizes],
            errors=curves,
            image_errors=image_errors,
            pixels=np.round(255 * np.concatenate(shown).clip(0, 1)).astype("u1").tobytes(),
            image_shape=list(originals.shape[1:]),
            limits={"size": [int(sizes[0]), int(sizes[-1])], "image": [0, len(originals) - 1]},
        )
        self.size, self.image, self.heights = (
            sizes[0] if size is None else size,
            image,
            heights(len(originals)),
        )

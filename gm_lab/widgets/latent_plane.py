"""The latent plane of a decoder: drag z, watch the image. Two models stand side by side."""

import numpy as np
import traitlets

from gm_lab.widgets.base import BookWidget, Numbers, as_array, source
from gm_lab.widgets.embedded import pack


class LatentPlane(BookWidget):
    """Encoded points in a plane, a draggable z, and the decoder's image of z, computed in the browser.

    Task: walk from one digit to another; find a place far from all points and look at what the decoder makes
    of it.

    decoder: `nn.Sequential` of Linear, ReLU, SiLU, Tanh and Sigmoid, from 2 numbers to height · width pixels
    in [0, 1], 1 is black, as ink on paper (logits need a final Sigmoid); points: (n, 2), the encoded data,
    n up to 2000; labels: n integers or short strings, drawn as the marks; image_shape: (height, width), up to
    32 × 32;
    z: the start; extent: the plane reaches from -extent to +extent (3, or as far as the points go). Weights
    and points are embedded as float16.

    other: a second model to compare, a dict with its own decoder and, as needed, points, labels, z and
    extent; names: of the first and of the second, drawn above their planes. Each has a z of its own (the
    second is `other_z`), for two models give one place different meanings. Raises ValueError if a layer, a
    shape or a number does not fit.

    Source: Kingma and Welling (2014), figure 4.
    """

    _esm = source("embedded.js", "latent_plane.js")
    heights = (401, 653)
    z = Numbers([0.0, 0.0], -50, 50, 2)
    extent = traitlets.Float(3.0).tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    other_z = Numbers([0.0, 0.0], -50, 50, 2)
    other_extent = traitlets.Float(3.0).tag(sync=True)
    other_layers = traitlets.List().tag(sync=True)
    other_weights = traitlets.Bytes().tag(sync=True)
    other_points = traitlets.Bytes().tag(sync=True)
    other_labels = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)

    @traitlets.validate("z", "other_z")
    def _on_the_plane(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        extent = self.extent if name == "z" else self.other_extent
        if max(map(abs, value)) > extent:
            raise ValueError(f"{name} must lie in [-{extent:g}, {extent:g}], got {value}")
        return value

    def __init__(
        self,
        decoder,
        points=(),
        labels=(),
        image_shape=(8, 8),
        z=(0.0, 0.0),
        extent=None,
        other=None,
        names=("first", "second"),
    ):
        height, width = image_shape
        if not (1 <= height <= 32 and 1 <= width <= 32):
            raise ValueError(f"image_shape must be at most (32, 32), got {tuple(image_shape)}")
        state = plane(image_shape, decoder, points, labels, z, extent)
        if other is not None:
            if unknown := set(other) - {"decoder", "points", "labels", "z", "extent"}:
                raise ValueError(f"other may not hold {', '.join(sorted(unknown))}")
            if len(names) != 2:
                raise ValueError(f"names must be two, got {names!r}")
            second = plane(image_shape, **other)
            state |= {f"other_{name}": value for name, value in second.items()}
            state["names"] = [str(name) for name in names]
            self.heights = (525, 1040)
        limits = {name: [-state[extent], state[extent]] for name, extent in EXTENTS.items() if name in state}
        super().__init__(**state, image_shape=[int(height), int(width)], limits=limits)


EXTENTS = {"z": "extent", "other_z": "other_extent"}


def plane(image_shape, decoder, points=(), labels=(), z=(0.0, 0.0), extent=None):
    """The state of one plane: its arguments checked and packed for the browser."""
    points = as_array("points", points).reshape(-1, 2) if len(points) == 0 else as_array("points", points)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) > 2000 or not np.isfinite(points).all():
        raise ValueError(f"points must be finite, of shape (n ≤ 2000, 2), got shape {points.shape}")
    if len(labels) not in (0, len(points)):
        raise ValueError(f"labels must be as many as points, got {len(labels)} for {len(points)}")
    if extent is None:
        extent = float(np.ceil(max(3.0, np.abs(points).max(initial=0.0) * 1.05)))
    if not 0 < extent <= 50:
        raise ValueError(f"extent must lie in (0, 50], got {extent:g}")
    layers, weights = pack(decoder, 2, image_shape[0] * image_shape[1], "decoder")
    return {
        "extent": extent,  # before z, which is checked against it
        "layers": layers,
        "weights": weights,
        "points": points.astype("<f2").tobytes(),
        "labels": [str(label.item() if hasattr(label, "item") else label) for label in labels],
        "z": z,
    }

"""The latent plane of a decoder: drag z, watch the image."""

import numpy as np
import traitlets

from gm_lab.widgets.base import BookWidget, Numbers, as_array, source

ACTIVATIONS = {"ReLU": "relu", "SiLU": "silu", "Tanh": "tanh", "Sigmoid": "sigmoid"}


class LatentPlane(BookWidget):
    """Encoded points in a plane, a draggable z, and the decoder's image of z, computed in the browser.

    Task: walk from one digit to another; find a place far from all points and look at what the decoder makes
    of it.

    decoder: `nn.Sequential` of Linear, ReLU, SiLU, Tanh and Sigmoid, from 2 numbers to height · width pixels
    in [0, 1], 1 is black, as ink on paper (logits need a final Sigmoid); points: (n, 2), the encoded data,
    n up to 2000; labels: n integers or short strings, drawn as the marks; image_shape: (height, width), up to
    32 × 32;
    z: the start; extent: the plane reaches from -extent to +extent (3, or as far as the points go). Weights
    and points are embedded as float16. Raises ValueError if a layer, a shape or a number does not fit.

    Source: Kingma and Welling (2014), figure 4.
    """

    _esm = source("latent_plane.js")
    heights = (401, 653)
    z = Numbers([0.0, 0.0], -50, 50, 2)
    extent = traitlets.Float(3.0).tag(sync=True)
    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    image_shape = traitlets.List().tag(sync=True)

    @traitlets.validate("z")
    def _on_the_plane(self, proposal):
        if max(map(abs, proposal["value"])) > self.extent:
            raise ValueError(f"z must lie in [-{self.extent:g}, {self.extent:g}], got {proposal['value']}")
        return proposal["value"]

    def __init__(self, decoder, points=(), labels=(), image_shape=(8, 8), z=(0.0, 0.0), extent=None):
        points = as_array("points", points).reshape(-1, 2) if len(points) == 0 else as_array("points", points)
        height, width = image_shape
        if points.ndim != 2 or points.shape[1] != 2 or len(points) > 2000 or not np.isfinite(points).all():
            raise ValueError(f"points must be finite, of shape (n ≤ 2000, 2), got shape {points.shape}")
        if len(labels) not in (0, len(points)):
            raise ValueError(f"labels must be as many as points, got {len(labels)} for {len(points)}")
        if not (1 <= height <= 32 and 1 <= width <= 32):
            raise ValueError(f"image_shape must be at most (32, 32), got {tuple(image_shape)}")
        if extent is None:
            extent = float(np.ceil(max(3.0, np.abs(points).max(initial=0.0) * 1.05)))
        if not 0 < extent <= 50:
            raise ValueError(f"extent must lie in (0, 50], got {extent:g}")
        layers, weights = pack(decoder, height * width)
        super().__init__(
            layers=layers,
            weights=weights,
            points=points.astype("<f2").tobytes(),
            labels=[str(label.item() if hasattr(label, "item") else label) for label in labels],
            image_shape=[int(height), int(width)],
            extent=extent,
            limits={"z": [-extent, extent]},
            z=z,
        )


def pack(decoder, pixels):
    """The decoder as (list of layers, float16 bytes): a Linear is [in, out], an activation is its name."""
    layers, weights, size = [], [], 2
    for layer in decoder:
        name = type(layer).__name__
        if name == "Linear":
            if layer.in_features != size:
                raise ValueError(f"decoder: expected a Linear with {size} inputs, got {layer}")
            size = layer.out_features
            layers.append([layer.in_features, size])
            bias = np.zeros(size) if layer.bias is None else as_array("bias", layer.bias)
            weights += [as_array("weight", layer.weight).ravel(), bias]
        elif name in ACTIVATIONS:
            layers.append(ACTIVATIONS[name])
        else:
            raise ValueError(f"decoder may hold Linear, {', '.join(ACTIVATIONS)}, got {name}")
    if size != pixels:
        raise ValueError(f"decoder must return {pixels} pixels for this image_shape, got {size}")
    flat = np.concatenate(weights)
    if not (np.abs(flat) <= np.finfo("f2").max).all():
        raise ValueError("decoder has weights that are not finite in float16")
    return layers, flat.astype("<f2").tobytes()

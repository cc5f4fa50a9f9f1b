"""What some widgets carry with them: images and small dense networks, checked and packed for the browser."""

import numpy as np

from gm_lab.widgets.base import Number, as_array

ACTIVATIONS = {"ReLU": "relu", "SiLU": "silu", "Tanh": "tanh", "Sigmoid": "sigmoid"}


class Index(Number):
    """Which of a widget's images is shown, from 0; the widget's own `limits` say how many there are."""

    def __init__(self):
        super().__init__(0, 0, 19)

    def validate(self, obj, value):
        number, last = super().validate(obj, value), obj.limits[self.name][1]
        if number not in range(int(last) + 1):
            raise ValueError(f"{self.name} must be a whole number from 0 to {last:g}, got {number:g}")
        return int(number)


def as_images(name, value, shape=None):
    """`value` as a float64 array (n, height, width); it may come with one channel, (n, 1, height, width).

    Raises ValueError if a number is not finite, if there are not 1 to 20 images of at most 32 × 32 pixels, or
    if a `shape` is given and this is another.
    """
    images = as_array(name, value)
    if images.ndim == 4 and images.shape[1] == 1:
        images = images[:, 0]
    if images.ndim != 3 or not (1 <= len(images) <= 20 and max(images.shape[1:]) <= 32 and images.size):
        raise ValueError(f"{name} must be of shape (n ≤ 20, height ≤ 32, width ≤ 32), got {images.shape}")
    if shape is not None and images.shape != shape:
        raise ValueError(f"{name} must be of shape {shape}, got {images.shape}")
    if not np.isfinite(images).all():
        raise ValueError(f"{name} must be finite")
    return images


def heights(count):
    """What a figure with three pictures, a plot and `count` thumbnails needs on wide and narrow pages."""
    rows = -(-count // 7)
    return max(315, 223 + 46 * rows), 477 + 46 * rows


def pack(network, inputs, pixels, name):
    """The network as (list of layers, float16 bytes): a Linear is [in, out], an activation is its name.

    Raises ValueError, with the network's `name`, unless it is a sequence of Linear, ReLU, SiLU, Tanh and
    Sigmoid that takes `inputs` numbers to `pixels` numbers with weights that float16 can hold.
    """
    layers, weights, size = [], [], inputs
    for layer in network:
        kind = type(layer).__name__
        if kind == "Linear":
            if layer.in_features != size:
                raise ValueError(f"{name}: expected a Linear with {size} inputs, got {layer}")
            size = layer.out_features
            layers.append([layer.in_features, size])
            bias = np.zeros(size) if layer.bias is None else as_array("bias", layer.bias)
            weights += [as_array("weight", layer.weight).ravel(), bias]
        elif kind in ACTIVATIONS:
            layers.append(ACTIVATIONS[kind])
        else:
            raise ValueError(f"{name} may hold Linear, {', '.join(ACTIVATIONS)}, got {kind}")
    if size != pixels:
        raise ValueError(f"{name} must return {pixels} pixels for this image_shape, got {size}")
    flat = np.concatenate(weights)
    if not (np.abs(flat) <= np.finfo("f2").max).all():
        raise ValueError(f"{name} has weights that are not finite in float16")
    return layers, flat.astype("<f2").tobytes()

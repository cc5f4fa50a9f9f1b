"""Drawing with signed distance functions: a batch of pictures at once, anti-aliased, in tensor arithmetic.

A shape is a tensor of signed distances, one per pixel: negative inside, zero on the outline, positive
outside. Shapes combine by minimum (union) and maximum (intersection). A picture spans [-1, 1] in both
directions, x to the right and y **down**. Shapes are (n, size, size); colours are red, green, blue in [0, 1],
(n, 3, 1, 1), or (n, 3, size, size) where they vary over the picture.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gm_lab.data.factors import Factors, require_count

PIXELS_AT_ONCE = 2**18  # per colour channel: 1 MB, so that a chunk stays in the processor's cache


def pixel_grid(size: int) -> tuple[Tensor, Tensor]:
    """Coordinates of the pixel centres: x of shape (1, 1, size) and y of shape (1, size, 1)."""
    centres = (torch.arange(size) + 0.5) * (2 / size) - 1
    return centres.view(1, 1, size), centres.view(1, size, 1)


# Shapes: signed distances


def ellipse(x: Tensor, y: Tensor, radius_x: Tensor | float, radius_y: Tensor | float) -> Tensor:
    """An ellipse around the origin; shift x and y to move it. Exact on the outline, first order near it."""
    u, v = x / radius_x, y / radius_y
    level = (u * u + v * v + 1e-8).sqrt()  # 1 on the outline
    slope = ((u / radius_x) ** 2 + (v / radius_y) ** 2 + 1e-8).sqrt() / level
    return (level - 1) / slope


def box(
    x: Tensor,
    y: Tensor,
    half_width: Tensor | float,
    half_height: Tensor | float,
    corner: Tensor | float = 0.0,
) -> Tensor:
    """A box around the origin whose corners are rounded with radius `corner`."""
    beyond_x, beyond_y = x.abs() - half_width + corner, y.abs() - half_height + corner
    outside = torch.hypot(beyond_x.clamp(min=0), beyond_y.clamp(min=0))
    inside = torch.maximum(beyond_x, beyond_y).clamp(max=0)
    return outside + inside - corner


def union(*shapes: Tensor) -> Tensor:
    """What lies in at least one of the shapes."""
    result = shapes[0]
    for shape in shapes[1:]:
        result = torch.minimum(result, shape)
    return result


def intersection(*shapes: Tensor) -> Tensor:
    """What lies in all of the shapes. Use `-shape` for the outside of a shape."""
    result = shapes[0]
    for shape in shapes[1:]:
        result = torch.maximum(result, shape)
    return result


# Colours


def rgb(red: float, green: float, blue: float) -> Tensor:
    """One colour for all pictures, (1, 3, 1, 1)."""
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1)


def mix(first: Tensor, second: Tensor, weight: Tensor | float) -> Tensor:
    """From the first colour (weight 0) to the second (weight 1)."""
    return first + weight * (second - first)


def colour_ramp(colours: Tensor, position: Tensor) -> Tensor:
    """Interpolate in a list of colours (k, 3), the first at 0, the last at 1: (n,) to (n, 3, 1, 1)."""
    place = position * (len(colours) - 1)
    below = place.floor().long().clamp(max=len(colours) - 2)
    return mix(colours[below], colours[below + 1], (place - below)[:, None])[..., None, None]


def hue(angle: Tensor, saturation: float, brightness: float) -> Tensor:
    """A colour of the rainbow, closed to a circle on [0, 1]: (n,) to (n, 3, 1, 1)."""
    phases = angle[:, None] + torch.tensor([0, 1 / 3, 2 / 3])
    wave = 0.5 + 0.5 * torch.cos(2 * math.pi * phases)
    return (brightness * (1 - saturation + saturation * wave))[..., None, None]


def to_grey(images: Tensor) -> Tensor:
    """Luminance of colour images (ITU-R BT.601 weights): (n, 3, height, width) to (n, 1, height, width)."""
    return (images * rgb(0.299, 0.587, 0.114)).sum(1, keepdim=True)


# Canvases


class Canvas:
    """A batch of pictures, painted from back to front."""

    def __init__(self, n: int, size: int):
        self.images = torch.ones(n, 3, size, size)
        self.pixel = 2 / size

    def coverage(self, shape: Tensor) -> Tensor:
        """How much of each pixel lies inside: 0.5 on the outline, so that edges are smooth."""
        return (0.5 - shape / self.pixel).clamp_(0, 1)

    def tint(self, weight: Tensor, colour: Tensor) -> None:
        """Mix a colour in, with a weight per pixel, (n, size, size): gradients, shadows, patterns."""
        self.images.lerp_(colour, weight.unsqueeze(1))

    def paint(self, shape: Tensor, colour: Tensor, opacity: Tensor | float = 1.0) -> None:
        """Fill a shape with a colour."""
        Canvas.tint(self, opacity * self.coverage(shape), colour)


class Sketch(Canvas):
    """The same pictures as line drawings: shapes become white with an ink outline, tints are left out."""

    ink, paper = rgb(0.12, 0.12, 0.16), rgb(1.0, 1.0, 1.0)

    def tint(self, weight: Tensor, colour: Tensor) -> None:
        """Line drawings have no gradients, shadows or patterns."""

    def paint(self, shape: Tensor, colour: Tensor, opacity: Tensor | float = 1.0) -> None:
        """Hide what lies behind the shape, then draw its outline, about one pixel wide."""
        super().paint(shape, self.paper, opacity)
        super().paint(shape.abs() - 0.4 * self.pixel, self.ink, opacity)


def draw_in_chunks(draw: Callable[[Factors, int], Tensor], factors: Factors, size: int) -> Tensor:
    """Draw many pictures, a few at a time: `draw(factors, size)` gives (n, 3, size, size)."""
    require_count("size", size)
    at_once = max(1, PIXELS_AT_ONCE // size**2)
    chunks = {name: values.split(at_once) for name, values in factors.items()}
    pictures = [
        draw(dict(zip(chunks, chunk, strict=True)), size) for chunk in zip(*chunks.values(), strict=True)
    ]
    return torch.cat(pictures).clamp_(0, 1)

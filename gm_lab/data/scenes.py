"""Drawn landscapes with known causes, for translating one kind of picture into another.

    pictures, factors = scenes(1000)                           # (1000, 3, 32, 32), {"winter": (1000,), …}
    sketches = draw_scenes(factors, sketch=True)               # the same places, pixel by pixel: paired data
    summer, _ = scenes(1000, seed=1, season="summer")          # other places: unpaired data
    winter, _ = scenes(1000, seed=2, season="winter")

A sketch shows shapes only. It tells day from night by the moon, and says nothing about the season or the
colour of the house: whoever colours it in has to invent those.
"""

import math

import torch
from torch import Tensor

from gm_lab.data.drawing import (
    Canvas,
    Sketch,
    box,
    draw_in_chunks,
    ellipse,
    hue,
    intersection,
    mix,
    pixel_grid,
    rgb,
    union,
)
from gm_lab.data.factors import Factor, Factors, check_factors, sample_factors

SCENE_FACTORS = {
    "winter": Factor("0 summer, 1 winter", 0, 1, whole=True),
    "night": Factor("0 day, 1 night", 0, 1, whole=True),
    "far_hill": Factor("height of the hill in the distance, 0 low, 1 high", 0, 1),
    "far_phase": Factor("where its wave begins, in periods: 0 and 1 are the same", 0, 1),
    "near_hill": Factor("height of the hill in front, 0 low, 1 high", 0, 1),
    "near_phase": Factor("where its wave begins, in periods: 0 and 1 are the same", 0, 1),
    "mirrored": Factor(
        "0 the tree is on the left and the house on the right, 1 the reverse", 0, 1, whole=True
    ),
    "tree_place": Factor("0 near the middle, 1 near the border", 0, 1),
    "tree_size": Factor("0 small, 1 tall", 0, 1),
    "pine": Factor("0 round leafy tree, 1 pine", 0, 1, whole=True),
    "house_place": Factor("0 near the middle, 1 near the border", 0, 1),
    "house_size": Factor("0 small, 1 large", 0, 1),
    "house_colour": Factor("hue, a circle: 0 and 1 are the same", 0, 1),
    "sun_x": Factor("sun or moon, -1 left, 1 right", -1, 1),
    "sun_y": Factor("sun or moon, 0 low, 1 high", 0, 1),
    "cloud_x": Factor("-1 left, 1 right", -1, 1),
}
SEASONS = {"summer": 0.0, "winter": 1.0}
TIMES = {"day": 0.0, "night": 1.0}
STARS = [(-0.8, -0.85), (-0.45, -0.6), (-0.1, -0.9), (0.25, -0.55), (0.5, -0.85), (0.85, -0.6), (0.0, -0.35)]


def scene_factors(
    n: int, seed: int = 0, season: str | None = None, time: str | None = None, **fixed: float | Tensor
) -> Factors:
    """Draw the causes of `n` scenes: independent and uniform, apart from those you fix (`pine=1`).

    `season` is "summer" or "winter", `time` is "day" or "night"; None mixes both. Returns {name: (n,)} for
    every name in `SCENE_FACTORS`, which says what each means. Raises ValueError for an unknown season, time
    or name, and for a value out of range.
    """
    for name, choice, choices in (("season", season, SEASONS), ("time", time, TIMES)):
        if choice is not None and choice not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)} or None, got {choice!r}")
    if season is not None:
        fixed = {"winter": SEASONS[season], **fixed}
    if time is not None:
        fixed = {"night": TIMES[time], **fixed}
    return sample_factors(SCENE_FACTORS, n, seed, fixed)


def draw_scenes(factors: dict[str, float | Tensor], size: int = 32, sketch: bool = False) -> Tensor:
    """Draw one scene for each row of the factors: float32 in [0, 1], (n, 3, size, size).

    With `sketch`, draw the outlines of the same scene in ink on white paper. Each factor is a tensor (n,), or
    a number that holds for all n scenes. Raises ValueError as `scene_factors`, and where a factor is missing.
    """
    canvas_kind = Sketch if sketch else Canvas

    def draw(chunk: Factors, size: int) -> Tensor:
        canvas, place = canvas_kind(len(chunk["winter"]), size), _Place(chunk, size)
        for draw_part in (_sky, _sun_or_moon, _cloud, _hills, _tree, _house):
            draw_part(canvas, place)
        return canvas.images

    return draw_in_chunks(draw, check_factors(SCENE_FACTORS, factors), size)


def scenes(
    n: int,
    size: int = 32,
    seed: int = 0,
    season: str | None = None,
    time: str | None = None,
    sketch: bool = False,
    **fixed: float | Tensor,
) -> tuple[Tensor, Factors]:
    """Draw `n` scenes and their causes: images (n, 3, size, size) and {name: (n,)}.

    The arguments are those of `scene_factors` and `draw_scenes`.
    """
    factors = scene_factors(n, seed, season, time, **fixed)
    return draw_scenes(factors, size, sketch), factors


class _Place:
    """What several parts of a scene need: places and factors as (n, 1, 1), colours as (n, 3, 1, 1)."""

    def __init__(self, factors: Factors, size: int):
        for name, values in factors.items():
            setattr(self, name, values.view(-1, 1, 1))
        self.x, self.y = pixel_grid(size)
        side = 1 - 2 * self.mirrored
        self.tree_x = side * (-0.36 - 0.32 * self.tree_place)
        self.house_x = side * (0.26 + 0.34 * self.house_place)
        self.house_scale = 0.8 + 0.4 * self.house_size
        self.wall = hue(factors["house_colour"], saturation=0.45, brightness=0.95)

    def near_hill_y(self, x: Tensor) -> Tensor:
        """Where the surface of the hill in front is; the tree and the house stand on it."""
        return 0.36 - 0.10 * self.near_hill + 0.09 * torch.sin(1.9 * x + 2 * math.pi * self.near_phase)

    def far_hill_y(self, x: Tensor) -> Tensor:
        """Where the surface of the hill in the distance is."""
        return 0.02 - 0.16 * self.far_hill + 0.13 * torch.sin(2.3 * x + 2 * math.pi * self.far_phase)

    def by_season(self, summer: Tensor, winter: Tensor) -> Tensor:
        """The colour that a thing has in its season."""
        return mix(summer, winter, self.winter[:, None])

    def by_time(self, day: Tensor, night: Tensor) -> Tensor:
        """The colour that a thing has at its time of day, where it shines by itself."""
        return mix(day, night, self.night[:, None])

    def lit(self, colour: Tensor) -> Tensor:
        """The colour of a thing that does not shine by itself: the moon's light is weak and blue."""
        return colour * self.by_time(rgb(1.0, 1.0, 1.0), rgb(0.36, 0.40, 0.58))


def _sky(canvas: Canvas, place: _Place) -> None:
    day_top = place.by_season(rgb(0.36, 0.66, 0.95), rgb(0.56, 0.69, 0.84))
    day_bottom = place.by_season(rgb(0.80, 0.92, 0.99), rgb(0.80, 0.86, 0.92))
    top = place.by_time(day_top, rgb(0.05, 0.07, 0.20))
    bottom = place.by_time(day_bottom, rgb(0.20, 0.19, 0.40))
    height = ((place.y + 1) / 1.4).clamp(0, 1)
    everywhere = torch.ones_like(place.x * place.y)
    canvas.tint(everywhere, mix(top, bottom, height[:, None]))
    stars = union(*[ellipse(place.x - x - 0.1 * place.cloud_x, place.y - y, 0.03, 0.03) for x, y in STARS])
    canvas.tint(0.9 * place.night * canvas.coverage(stars), rgb(1.0, 1.0, 0.9))


def _sun_or_moon(canvas: Canvas, place: _Place) -> None:
    x, y = place.x - 0.75 * place.sun_x, place.y + 0.54 + 0.26 * place.sun_y
    sun = ellipse(x, y, 0.17, 0.17)
    crescent = intersection(sun, -ellipse(x - 0.09, y + 0.05, 0.15, 0.15))
    day = place.by_season(rgb(1.0, 0.86, 0.25), rgb(1.0, 0.93, 0.60))
    canvas.paint(torch.where(place.night > 0.5, crescent, sun), place.by_time(day, rgb(0.97, 0.96, 0.82)))


def _cloud(canvas: Canvas, place: _Place) -> None:
    x, y = place.x - 0.7 * place.cloud_x, place.y + 0.28  # below sun and moon, which it must not hide
    left, right = ellipse(x + 0.10, y + 0.05, 0.13, 0.10), ellipse(x - 0.08, y + 0.08, 0.14, 0.13)
    cloud = union(ellipse(x, y, 0.30, 0.08), left, right)
    canvas.paint(cloud, place.lit(rgb(0.99, 0.99, 1.0)))


def _hills(canvas: Canvas, place: _Place) -> None:
    far = place.by_season(rgb(0.45, 0.70, 0.38), rgb(0.80, 0.86, 0.93))
    canvas.paint(place.far_hill_y(place.x) - place.y, place.lit(far))
    near = place.by_season(rgb(0.36, 0.62, 0.24), rgb(0.95, 0.97, 1.0))
    canvas.paint(place.near_hill_y(place.x) - place.y, place.lit(near))


def _tree(canvas: Canvas, place: _Place) -> None:
    scale = 0.8 + 0.4 * place.tree_size
    x, y = place.x - place.tree_x, place.y - place.near_hill_y(place.tree_x) - 0.16  # y = 0 at the foot
    trunk = box(x, y + 0.16 * scale, 0.055, 0.20 * scale)
    canvas.paint(trunk, place.lit(place.by_season(rgb(0.42, 0.27, 0.15), rgb(0.36, 0.26, 0.20))))

    leafy = ellipse(x, y + 0.58 * scale, 0.26 * scale, 0.32 * scale)
    pine = intersection(0.9 * x.abs() - 0.36 * (y + 0.98 * scale), y + 0.28 * scale)
    crown = torch.where(place.pine > 0.5, pine, leafy)
    canvas.paint(crown, place.lit(place.by_season(rgb(0.13, 0.45, 0.20), rgb(0.97, 0.98, 1.0))))
    # The lower part lies in shadow; in winter it is what the snow has not reached.
    below = canvas.coverage(intersection(crown, -(y + 0.62 * scale)))
    canvas.tint(below, place.lit(place.by_season(rgb(0.11, 0.38, 0.17), rgb(0.36, 0.50, 0.48))))


def _house(canvas: Canvas, place: _Place) -> None:
    scale = place.house_scale
    x, y = place.x - place.house_x, place.y - place.near_hill_y(place.house_x) - 0.30  # y = 0 at the doorstep
    canvas.paint(
        box(x - 0.16 * scale, y + 0.60 * scale, 0.045 * scale, 0.10 * scale), place.lit(rgb(0.50, 0.30, 0.26))
    )
    canvas.paint(box(x, y + 0.20 * scale, 0.27 * scale, 0.20 * scale), place.lit(place.wall))
    roof = intersection(0.68 * x.abs() - 0.72 * (y + 0.70 * scale), y + 0.40 * scale)
    canvas.paint(roof, place.lit(place.by_season(rgb(0.72, 0.25, 0.20), rgb(0.97, 0.98, 1.0))))
    canvas.paint(
        box(x - 0.12 * scale, y + 0.11 * scale, 0.06 * scale, 0.11 * scale), place.lit(rgb(0.35, 0.22, 0.14))
    )
    window = place.by_time(rgb(0.55, 0.80, 0.95), rgb(1.0, 0.85, 0.35))
    canvas.paint(box(x + 0.11 * scale, y + 0.22 * scale, 0.08 * scale, 0.08 * scale), window)

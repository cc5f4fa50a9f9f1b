"""Drawn faces whose every cause is known: who it is, the expression, glasses, pose, light, background.

    images, factors = faces(1000)                     # (1000, 3, 32, 32), {"smile": (1000,), …}
    smiling = draw_faces({**factors, "smile": 1})     # the same people, all smiling

Faces of real people bring licences, downloads and bias that nobody can measure. These bring the ground truth.
"""

import torch
from torch import Tensor

from gm_lab.data.drawing import (
    Canvas,
    box,
    colour_ramp,
    draw_in_chunks,
    ellipse,
    hue,
    intersection,
    mix,
    pixel_grid,
    rgb,
    to_grey,
    union,
)
from gm_lab.data.factors import Factor, Factors, check_factors, sample_factors

IDENTITY = {
    "skin": Factor("0 light, 1 dark", 0, 1),
    "hair_colour": Factor("0 black, 1 brown, 2 chestnut, 3 blond, 4 red, 5 grey", 0, 5, whole=True),
    "hair_length": Factor("0 short, 1 over the shoulders", 0, 1),
    "parting": Factor("-1 the hair falls to the left, 1 to the right", -1, 1),
    "face_width": Factor("-1 narrow, 1 wide", -1, 1),
    "jaw": Factor("-1 pointed, 1 broad", -1, 1),
    "eye_size": Factor("-1 small, 1 large", -1, 1),
    "eye_spacing": Factor("-1 close, 1 far apart", -1, 1),
    "eye_colour": Factor("0 brown, 0.5 green, 1 blue", 0, 1),
    "nose": Factor("-1 small, 1 large", -1, 1),
    "brows": Factor("-1 thin, 1 thick", -1, 1),
}
CIRCUMSTANCE = {
    "smile": Factor("-1 sad, 0 serious, 1 a broad smile", -1, 1),
    "brow_tilt": Factor("-1 worried, 1 cross", -1, 1),
    "glasses": Factor("0 without, 1 with glasses", 0, 1, whole=True),
    "turn": Factor("-1 the head turns to the left of the picture, 1 to the right", -1, 1),
    "light": Factor("-1 light from the left of the picture, 1 from the right", -1, 1),
    "background": Factor("hue, a circle: 0 and 1 are the same", 0, 1),
    "shirt": Factor("hue, a circle: 0 and 1 are the same", 0, 1),
}
FACE_FACTORS = IDENTITY | CIRCUMSTANCE

SKIN = torch.tensor(
    [[0.99, 0.86, 0.76], [0.95, 0.76, 0.62], [0.85, 0.62, 0.46], [0.66, 0.45, 0.32], [0.48, 0.32, 0.23]]
)
HAIR = torch.tensor(
    [
        [0.14, 0.11, 0.12],
        [0.36, 0.21, 0.12],
        [0.58, 0.34, 0.14],
        [0.93, 0.77, 0.38],
        [0.80, 0.34, 0.16],
        [0.78, 0.78, 0.80],
    ]
)
IRIS = torch.tensor([[0.25, 0.14, 0.08], [0.20, 0.42, 0.22], [0.20, 0.42, 0.72]])
WHITE, BLACK = rgb(0.99, 0.99, 0.99), rgb(0.05, 0.04, 0.05)


def face_factors(n: int, seed: int = 0, **fixed: float | Tensor) -> Factors:
    """Draw the causes of `n` faces: independent and uniform, apart from those you fix (`smile=1`).

    Returns {name: (n,)} for every name in `FACE_FACTORS`, which says what each means. The names in `IDENTITY`
    make the person; those in `CIRCUMSTANCE` may change from one picture of the same person to the next.
    Raises ValueError for an unknown name or a value out of range.
    """
    return sample_factors(FACE_FACTORS, n, seed, fixed)


def draw_faces(factors: dict[str, float | Tensor], size: int = 32) -> Tensor:
    """Draw one face for each row of the factors: float32 in [0, 1], (n, 3, size, size).

    Each factor is a tensor (n,), or a number that holds for all n faces. Raises ValueError as `face_factors`,
    and where a factor is missing.
    """
    return draw_in_chunks(_draw, check_factors(FACE_FACTORS, factors), size)


def faces(
    n: int, size: int = 32, seed: int = 0, grey: bool = False, **fixed: float | Tensor
) -> tuple[Tensor, Factors]:
    """Draw `n` faces and their causes: images (n, 3, size, size), with one channel if grey, and {name: (n,)}.

    Anything in `fixed` holds for all faces: `faces(100, glasses=1)`. Raises ValueError as `face_factors`.
    """
    factors = face_factors(n, seed, **fixed)
    images = draw_faces(factors, size)
    return (to_grey(images) if grey else images), factors


def _draw(factors: Factors, size: int) -> Tensor:
    canvas, head = Canvas(len(factors["skin"]), size), _Head(factors, size)
    for draw_part in (
        _background,
        _hair_behind,
        _shoulders,
        _face,
        _eyes,
        _brows,
        _nose,
        _mouth,
        _fringe,
        _glasses,
    ):
        draw_part(canvas, head)
    return canvas.images


class _Head:
    """What several parts of a face need: places and factors as (n, 1, 1), colours as (n, 3, 1, 1)."""

    def __init__(self, factors: Factors, size: int):
        for name, values in factors.items():
            setattr(self, name, values.view(-1, 1, 1))
        self.happy = self.smile.clamp(min=0)
        self.skin = colour_ramp(SKIN, factors["skin"])
        self.hair = HAIR[factors["hair_colour"].long()][..., None, None]
        self.iris = colour_ramp(IRIS, factors["eye_colour"])
        self.background = hue(factors["background"], saturation=0.35, brightness=0.94)
        self.shirt = hue(factors["shirt"], saturation=0.75, brightness=0.85)

        # When a head turns, its middle moves a little, the eyes and mouth move more, and the nose moves most.
        self.x, self.y = pixel_grid(size)
        self.middle = 0.07 * self.turn
        self.from_middle = self.x - self.middle
        self.from_nose = self.from_middle - 0.11 * self.turn
        self.half_width = 0.57 + 0.055 * self.face_width
        self.half_height = 0.67
        self.eye_at = 0.235 + 0.03 * self.eye_spacing
        self.eye_radius = 0.13 + 0.022 * self.eye_size
        # Eyes, brows, cheeks and lenses come in pairs: a shape drawn at +a in |x| appears at +a and at -a.
        self.from_eye = self.from_nose.abs() - self.eye_at
        # Lambert's law on a rounded head: brighter where the surface faces the light.
        self.facing_light = self.light * self.from_middle / self.half_width


def _background(canvas: Canvas, head: _Head) -> None:
    canvas.tint(torch.ones_like(head.x * head.y), head.background * (0.97 - 0.09 * head.y)[:, None])


def _hair_behind(canvas: Canvas, head: _Head) -> None:
    half_width, crown_y = head.half_width + 0.14, -0.16
    crown = ellipse(head.from_middle, head.y - crown_y, half_width, 0.70)
    ends_y = -0.05 + 0.95 * head.hair_length
    half_length = ((ends_y - crown_y) / 2).clamp(min=0.06)
    middle_y = crown_y + half_length
    lengths = box(
        head.from_middle, head.y - middle_y, half_width, half_length, corner=half_length.clamp(max=0.24)
    )
    canvas.paint(union(crown, lengths), 0.72 * head.hair)


def _shoulders(canvas: Canvas, head: _Head) -> None:
    canvas.paint(ellipse(head.x, head.y - 1.10, 0.76, 0.36), head.shirt)
    canvas.paint(box(head.x - 0.6 * head.middle, head.y - 0.70, 0.20, 0.22, corner=0.08), 0.80 * head.skin)


def _face(canvas: Canvas, head: _Head) -> None:
    ears = ellipse(head.from_middle.abs() - head.half_width, head.y - 0.10, 0.10, 0.15)
    canvas.paint(ears, 0.88 * head.skin)
    height = head.y / head.half_height
    narrowing = (0.20 - 0.16 * head.jaw) * height.clamp(0, 1.2) ** 1.5
    shape = ellipse(head.from_middle, head.y, head.half_width * (1 - narrowing), head.half_height)
    roundness = (head.from_middle / head.half_width) ** 2 + height**2
    shade = 1.05 + 0.20 * head.facing_light - 0.07 * height - 0.10 * roundness
    canvas.paint(shape, (head.skin * shade[:, None]).clamp(max=1))

    cheeks = torch.exp(-(((head.from_nose.abs() - 0.35) / 0.14) ** 2) - ((head.y - 0.27) / 0.10) ** 2)
    canvas.tint((0.28 + 0.30 * head.happy) * cheeks, head.skin * rgb(1.0, 0.58, 0.58))


def _eyes(canvas: Canvas, head: _Head) -> None:
    radius, y = head.eye_radius, head.y - 0.02
    opening = 1.08 - 0.25 * head.happy  # a real smile narrows the eyes
    canvas.paint(ellipse(head.from_eye, y, radius, radius * opening), WHITE)
    for side in (-1, 1):  # both eyes look where the head turns, and both shine on the same side
        gaze = head.from_nose - side * head.eye_at - 0.025 * head.turn
        canvas.paint(ellipse(gaze, y - 0.01, 0.68 * radius, 0.70 * radius * opening), head.iris)
        canvas.paint(ellipse(gaze, y - 0.01, 0.36 * radius, 0.38 * radius * opening), BLACK)
        canvas.paint(ellipse(gaze + 0.035, y + 0.04, 0.22 * radius, 0.22 * radius), WHITE)


def _brows(canvas: Canvas, head: _Head) -> None:
    height = -0.19 - 0.03 * head.happy - 0.02 * head.eye_size - 0.22 * head.brow_tilt * head.from_eye
    thickness = 0.030 + 0.012 * head.brows
    brow = box(head.from_eye, head.y - height, 1.05 * head.eye_radius, thickness, corner=0.018)
    canvas.paint(brow, 0.62 * head.hair)


def _nose(canvas: Canvas, head: _Head) -> None:
    tip, radius = head.from_nose - 0.045 * head.turn, 0.058 + 0.02 * head.nose
    canvas.paint(ellipse(tip, head.y - 0.225, 1.15 * radius, 0.75 * radius), 0.72 * head.skin, opacity=0.85)
    canvas.paint(ellipse(tip, head.y - 0.195, 0.75 * radius, 0.85 * radius), (1.06 * head.skin).clamp(max=1))


def _mouth(canvas: Canvas, head: _Head) -> None:
    """Two parabolas through the corners: one line when shut, a half moon with teeth in a smile."""
    half_width = 0.20 + 0.08 * head.happy
    arch = 1 - (head.from_nose / half_width) ** 2  # 0 at the corners, 1 in the middle
    bend = torch.where(head.smile > 0, 0.15, 0.11) * head.smile
    opening = (0.20 * (head.smile - 0.2)).clamp(min=0)
    corners_y = 0.45 - 0.5 * bend
    upper = corners_y + (bend - 0.3 * opening) * arch
    lower = corners_y + (bend + 0.7 * opening) * arch
    between = head.from_nose.abs() - half_width
    lip = 0.035
    lips = intersection(upper - lip - head.y, head.y - lower - lip, between - lip)
    canvas.paint(lips, mix(0.9 * head.skin, rgb(0.42, 0.04, 0.08), 0.72))
    teeth = intersection(upper + 0.2 * lip - head.y, head.y - lower + 0.5 * lip, between + 1.5 * lip)
    canvas.paint(teeth, WHITE)


def _fringe(canvas: Canvas, head: _Head) -> None:
    cap = ellipse(head.from_middle, head.y + 0.06, head.half_width + 0.07, head.half_height + 0.04)
    across = head.from_middle / head.half_width
    sideburns = (across.abs() - 0.45).clamp(min=0) * (0.18 + 0.50 * head.hair_length)
    hairline = -0.37 + 0.13 * head.parting * across + sideburns
    gleam = torch.exp(-(((head.y + 0.52 + 0.12 * across**2) / 0.09) ** 2))
    shade = 1 + 0.22 * head.facing_light + 0.22 * gleam
    canvas.paint(intersection(cap, head.y - hairline), (head.hair * shade[:, None]).clamp(max=1))


def _glasses(canvas: Canvas, head: _Head) -> None:
    y, frame = head.y - 0.03, rgb(0.10, 0.10, 0.14)
    lenses = ellipse(head.from_eye - 0.01, y, 0.205, 0.185)
    bridge = box(head.from_nose, y + 0.03, 0.06, 0.026)
    # The temples run from the lenses to the edge of the head, which is nearer on the side it turns to.
    temples = box(head.from_nose.abs() - 0.60, y + 0.04, 0.16, 0.026)
    temples = intersection(temples, head.from_middle.abs() - head.half_width)
    canvas.paint(lenses, rgb(0.85, 0.95, 1.0), opacity=0.16 * head.glasses)
    canvas.paint(union(lenses.abs() - 0.03, bridge, temples), frame, opacity=head.glasses)

import pytest
import torch

from gm_lab.data import draw_faces, face_factors, faces
from gm_lab.data.faces import CIRCUMSTANCE, FACE_FACTORS, IDENTITY

SIZE = 32


@pytest.fixture(scope="module")
def people():
    return face_factors(200, seed=7)


def change(people, name, before, after):
    """Largest change over the three colours, (n, size, size), and the rows as y in [-1, 1]."""
    difference = draw_faces({**people, name: after}, SIZE) - draw_faces({**people, name: before}, SIZE)
    y = (torch.arange(SIZE) + 0.5) / SIZE * 2 - 1
    return difference.abs().amax(1), y


def test_identity_and_circumstance_are_all_factors():
    assert IDENTITY | CIRCUMSTANCE == FACE_FACTORS
    assert not IDENTITY.keys() & CIRCUMSTANCE.keys()


# Rows (y down) outside of which a factor must change nothing; the margin is one pixel at 32 × 32.
REGIONS = {
    "smile": (-0.40, 0.75),
    "glasses": (-0.30, 0.35),
    "eye_colour": (-0.25, 0.30),
    "eye_size": (-0.40, 0.30),
    "brow_tilt": (-0.35, 0.05),
    "brows": (-0.40, 0.05),
    "nose": (0.05, 0.40),
    "shirt": (0.65, 1.00),
}


@pytest.mark.parametrize("name", REGIONS)
def test_a_factor_changes_its_region_only(people, name):
    top, bottom = REGIONS[name]
    low, high = FACE_FACTORS[name].low, FACE_FACTORS[name].high
    change_map, y = change(people, name, low, 0.5 if name == "shirt" else high)  # a hue comes back at 1
    inside = (y >= top) & (y <= bottom)
    assert change_map[:, ~inside].amax() == 0
    assert change_map[:, inside].amax((1, 2)).min() > 0.02


def test_a_smile_shows_at_32_pixels(people):
    # White teeth where there were lips or skin: for every person, whatever the skin.
    change_map, y = change(people, "smile", 0, 1)
    mouth = change_map[:, (y > 0.25) & (y < 0.70)]
    assert ((mouth > 0.2).sum((1, 2)) >= 8).all()
    # A frown differs from a serious mouth, and the smile lifts the corners while the frown lowers them.
    change_map, _ = change(people, "smile", 0, -1)
    assert ((change_map > 0.05).sum((1, 2)) >= 6).all()


def test_glasses_are_dark_frames_around_the_eyes(people):
    plain = draw_faces({**people, "glasses": 0}, SIZE).mean(1)
    worn = draw_faces({**people, "glasses": 1}, SIZE).mean(1)
    eye_rows = slice(13, 20)
    assert (worn[:, eye_rows].mean((1, 2)) < plain[:, eye_rows].mean((1, 2))).all()


def test_light_brightens_the_side_it_comes_from(people):
    frontal = {**people, "turn": 0, "glasses": 0}
    left, right = (
        draw_faces({**frontal, "light": light}, SIZE)[:, :, 18:24, :].mean((1, 2)) for light in (-1, 1)
    )
    cheeks = slice(8, 12), slice(20, 24)
    assert (left[:, cheeks[0]].mean(1) > right[:, cheeks[0]].mean(1)).all()
    assert (left[:, cheeks[1]].mean(1) < right[:, cheeks[1]].mean(1)).all()


def test_turning_the_other_way_mirrors_the_outline(people):
    # All but the shine in the eyes, which stays on one side, mirrors exactly.
    neutral = {**people, "parting": 0, "light": 0, "glasses": 0}
    left, right = (draw_faces({**neutral, "turn": turn}, SIZE) for turn in (-0.8, 0.8))
    differs = (left - right.flip(-1)).abs().amax(1) > 1e-4
    assert not differs[:, :12].any()
    assert not differs[:, 21:].any()


def test_circular_factors_close(people):
    for name in ("background", "shirt"):
        assert change(people, name, 0, 1)[0].max() < 1e-5


def test_grey_is_the_luminance_of_colour():
    colour, grey = faces(5)[0], faces(5, grey=True)[0]
    assert grey.shape == (5, 1, SIZE, SIZE)
    red, green, blue = colour.unbind(1)
    assert torch.allclose(grey[:, 0], 0.299 * red + 0.587 * green + 0.114 * blue, atol=1e-6)
    assert grey.min() >= 0
    assert grey.max() <= 1


def test_sizes_show_the_same_face():
    small, large = faces(20, size=32)[0], faces(20, size=64)[0]
    shrunk = torch.nn.functional.avg_pool2d(large, 2)
    assert (small - shrunk).abs().mean() < 0.02

import pytest
import torch

from gm_lab.data import draw_scenes, scene_factors, scenes

SIZE = 32


@pytest.fixture(scope="module")
def places():
    return scene_factors(100, seed=7)


def test_season_and_time_fix_their_factor():
    for season, winter in (("summer", 0), ("winter", 1)):
        assert (scene_factors(20, season=season)["winter"] == winter).all()
    for time, night in (("day", 0), ("night", 1)):
        assert (scene_factors(20, time=time)["night"] == night).all()
    mixed = scene_factors(1000)
    assert 0.4 < mixed["winter"].mean() < 0.6
    assert 0.4 < mixed["night"].mean() < 0.6


def test_night_darkens_and_winter_whitens_the_same_place(places):
    def mean_light(**fixed):
        return draw_scenes({**places, **fixed}, SIZE).mean((1, 2, 3))

    assert (mean_light(night=1) < 0.6 * mean_light(night=0)).all()
    assert (mean_light(winter=1, night=0) > mean_light(winter=0, night=0)).all()


def test_a_sketch_is_ink_on_white_paper(places):
    sketch = draw_scenes(places, SIZE, sketch=True)
    assert sketch.shape == (100, 3, SIZE, SIZE)
    paper = (sketch > 0.99).all(1).float().mean((1, 2))
    assert ((paper > 0.4) & (paper < 0.85)).all()
    assert (sketch.amin((1, 2, 3)) < 0.3).all()
    assert torch.equal(sketch[0], scenes(1, SIZE, seed=7, sketch=True)[0][0])


def test_a_sketch_hides_season_and_colour_but_not_the_time_of_day(places):
    sketch = draw_scenes(places, 64, sketch=True)
    for name, value in (("winter", 1 - places["winter"]), ("house_colour", 0.5)):
        assert torch.equal(draw_scenes({**places, name: value}, 64, sketch=True), sketch)
    other_time = draw_scenes({**places, "night": 1 - places["night"]}, 64, sketch=True)
    assert ((other_time - sketch).abs().amax((1, 2, 3)) > 0.3).float().mean() > 0.95


def test_sketch_and_picture_share_their_outlines(places):
    # Summer days have flat colours apart from the sky's gradient: a colour edge there is an outline.
    places = {**places, "winter": 0, "night": 0}
    size = 64
    picture, sketch = draw_scenes(places, size), draw_scenes(places, size, sketch=True)

    def edges(images):
        across = (images[:, :, 1:-1, 2:] - images[:, :, 1:-1, :-2]).abs().amax(1)
        down = (images[:, :, 2:, 1:-1] - images[:, :, :-2, 1:-1]).abs().amax(1)
        return torch.maximum(across, down) > 0.15

    ink = (sketch[:, 0, 1:-1, 1:-1] < 0.6).float()
    near_ink = torch.nn.functional.max_pool2d(ink[:, None], 3, stride=1, padding=1)[:, 0] > 0
    # Nearly every edge of a picture lies at an ink line of its own sketch (the tree's shadow line does not),
    # and not at those of another place.
    assert near_ink[edges(picture)].float().mean() > 0.93
    assert near_ink.roll(1, dims=0)[edges(picture)].float().mean() < 0.7


def test_mirroring_swaps_tree_and_house(places):
    def middle_column(name, mirrored):  # of what changes when one thing changes its colour or kind
        before = {**places, "night": 0, "mirrored": mirrored, name: 0}
        after = {**before, name: 1 if name == "pine" else 0.5}
        change = draw_scenes(after, SIZE) - draw_scenes(before, SIZE)
        weight = change.abs().sum((1, 2))
        return (weight * torch.arange(SIZE)).sum(1) / weight.sum(1)

    for name, place in (("house_colour", "right"), ("pine", "left")):
        here, there = middle_column(name, mirrored=0), middle_column(name, mirrored=1)
        assert ((here > SIZE / 2) if place == "right" else (here < SIZE / 2)).all()
        assert torch.allclose(here + there, torch.tensor(SIZE - 1.0), atol=4)


def test_unpaired_seasons_are_different_places():
    summer, winter = scenes(10, seed=1, season="summer"), scenes(10, seed=2, season="winter")
    assert not torch.equal(summer[1]["tree_place"], winter[1]["tree_place"])

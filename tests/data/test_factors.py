"""What faces and scenes have in common: factors, and drawing in chunks."""

import math

import pytest
import torch

from gm_lab.data import draw_faces, draw_scenes, drawing, face_factors, faces, scene_factors, scenes
from gm_lab.data.faces import FACE_FACTORS
from gm_lab.data.scenes import SCENE_FACTORS

DRAWN = [(faces, face_factors, draw_faces, FACE_FACTORS), (scenes, scene_factors, draw_scenes, SCENE_FACTORS)]
both = pytest.mark.parametrize(("pictures", "sample", "draw", "table"), DRAWN, ids=["faces", "scenes"])


@both
def test_images_have_the_promised_form(pictures, sample, draw, table):
    for size in (8, 32, 33):
        images, factors = pictures(5, size=size)
        assert images.shape == (5, 3, size, size)
        assert images.dtype == torch.float32
        assert images.isfinite().all()
        assert images.min() >= 0
        assert images.max() <= 1
        assert list(factors) == list(table)
        assert torch.equal(images, draw(factors, size))


@both
def test_factors_are_uniform_over_their_range(pictures, sample, draw, table):
    n = 20_000
    for name, values in sample(n).items():
        low, high, whole = table[name].low, table[name].high, table[name].whole
        assert values.dtype == torch.float32
        assert values.shape == (n,)
        assert values.mean().item() == pytest.approx((low + high) / 2, abs=0.02 * (high - low))
        if whole:
            levels = values.unique().tolist()
            assert levels == list(range(int(low), int(high) + 1))
        else:
            assert values.std().item() == pytest.approx((high - low) / math.sqrt(12), rel=0.02)


@both
def test_factors_are_independent(pictures, sample, draw, table):
    correlation = torch.corrcoef(torch.stack(list(sample(20_000).values())))
    assert (correlation - torch.eye(len(table))).abs().max() < 0.03


@both
def test_a_seed_decides_everything(pictures, sample, draw, table):
    images, factors = pictures(10, seed=1)
    torch.manual_seed(123)
    assert torch.equal(images, pictures(10, seed=1)[0])
    assert not torch.equal(images, pictures(10, seed=2)[0])
    fewer = sample(4, seed=1)
    assert all(torch.equal(fewer[name], factors[name][:4]) for name in table)


@both
@pytest.mark.parametrize("at_once", [1, 7, 64])
def test_chunks_make_no_difference(pictures, sample, draw, table, at_once, monkeypatch):
    factors = sample(20)
    whole = draw(factors, 16)
    monkeypatch.setattr(drawing, "PIXELS_AT_ONCE", at_once * 16**2)
    assert torch.allclose(draw(factors, 16), whole, rtol=0, atol=1e-6)


@both
def test_every_factor_shows(pictures, sample, draw, table):
    factors = sample(20, seed=3)
    for name, factor in table.items():
        middle = factor.high if factor.whole else (factor.low + factor.high) / 2  # the ends of a circle agree
        change = draw({**factors, name: factor.low}) - draw({**factors, name: middle})
        assert change.abs().amax(1).mean().item() > 1e-4, name


@both
def test_a_number_holds_for_all_and_leaves_the_others_alone(pictures, sample, draw, table):
    name = list(table)[-1]
    free, fixed = sample(6), sample(6, **{name: 0.5})
    assert torch.equal(fixed[name], torch.full((6,), 0.5))
    assert all(torch.equal(free[other], fixed[other]) for other in table if other != name)
    assert torch.equal(draw({**free, name: 0.5}), draw(fixed))


@both
def test_bad_factors_are_refused(pictures, sample, draw, table):
    factors = sample(4)
    first = next(iter(table))
    with pytest.raises(ValueError, match=rf"unknown factors \['smiel'\]; the factors are {first}, "):
        sample(4, smiel=1)
    with pytest.raises(ValueError, match=r"unknown factors \['smiel'\]"):
        draw({**factors, "smiel": 1})
    with pytest.raises(ValueError, match=rf"missing factors \['{first}'\]"):
        draw({name: values for name, values in factors.items() if name != first})
    with pytest.raises(ValueError, match=r"one common shape \(n,\)"):
        draw({**factors, first: torch.zeros(5)})
    with pytest.raises(ValueError, match=r"one common shape \(n,\)"):
        draw({**factors, first: torch.zeros(4, 1)})
    with pytest.raises(ValueError, match="n must be a positive whole number, got 0"):
        sample(0)
    with pytest.raises(ValueError, match=r"n must be a positive whole number, got 2\.5"):
        sample(2.5)
    with pytest.raises(ValueError, match="size must be a positive whole number, got -1"):
        draw(factors, size=-1)
    with pytest.raises(ValueError, match="number of pictures must be a positive"):
        draw({name: values[:0] for name, values in factors.items()})


def test_values_out_of_range_are_refused():
    with pytest.raises(
        ValueError, match=r"smile must lie in \[-1, 1\] \(-1 sad, .*\), got values in \[2, 2\]"
    ):
        faces(4, smile=2)
    with pytest.raises(ValueError, match=r"smile must lie in \[-1, 1\]"):
        faces(4, smile=math.nan)
    with pytest.raises(ValueError, match=r"glasses must be a whole number in \[0, 1\]"):
        faces(4, glasses=0.5)
    with pytest.raises(ValueError, match="season must be one of summer, winter or None, got 'spring'"):
        scenes(4, season="spring")
    with pytest.raises(ValueError, match="time must be one of day, night or None, got 'noon'"):
        scenes(4, time="noon")

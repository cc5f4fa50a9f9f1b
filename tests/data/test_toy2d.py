import math

import pytest
import torch

from gm_lab.data import toy2d

DATA_SETS = [toy2d.ring(), toy2d.grid(), toy2d.checkerboard(), toy2d.two_moons(), toy2d.spiral()]
IDS = ["ring", "grid", "checkerboard", "two_moons", "spiral"]
every_data_set = pytest.mark.parametrize("data", DATA_SETS, ids=IDS)


def cells(steps, half_width=5.0):
    """Centres of steps × steps cells over a square, as (steps, steps, 2), and the area of one."""
    side = 2 * half_width / steps
    ticks = (torch.arange(steps, dtype=torch.float64) + 0.5) * side - half_width
    return torch.stack(torch.meshgrid(ticks, ticks, indexing="ij"), dim=-1), side**2


@every_data_set
def test_samples_are_float32_points_in_the_square_and_repeat_with_their_seed(data):
    x = data.sample(5000, seed=3)
    assert x.shape == (5000, 2)
    assert x.dtype == torch.float32
    assert x.abs().max() <= 4.3
    assert torch.equal(x, data.sample(5000, seed=3))
    assert not torch.equal(x, data.sample(5000, seed=4))


@every_data_set
def test_density_integrates_to_one(data):
    x, area = cells(200)
    assert data.log_prob(x).exp().sum().item() * area == pytest.approx(1, abs=1e-5)


@every_data_set
def test_samples_follow_the_density(data):
    # Probability of each cell of 0.5 × 0.5, from the density and from a histogram of samples.
    x, area = cells(200)
    probability = data.log_prob(x).exp().reshape(20, 10, 20, 10).sum((1, 3)) * area
    n = 200_000
    index = ((data.sample(n, seed=0).double() + 5) / 0.5).floor().long()
    count = torch.bincount(index[:, 0] * 20 + index[:, 1], minlength=400).reshape(20, 20)
    standard_error = (probability * (1 - probability) / n).sqrt()
    assert ((count / n - probability).abs() <= 5 * standard_error + 2 / n).all()


def test_every_mode_of_the_ring_gets_its_share():
    data = toy2d.ring()
    assert torch.allclose(data.means.norm(dim=1), torch.tensor(3.0))
    x = data.sample(80_000)
    nearest = torch.cdist(x, data.means).argmin(1)
    assert nearest.bincount(minlength=8).div(80_000).sub(1 / 8).abs().max() < 0.005
    for mode in range(8):
        members = x[nearest == mode]
        assert torch.allclose(members.mean(0), data.means[mode], atol=0.01)
        assert torch.allclose(members.std(0), torch.tensor(data.std), atol=0.006)


def test_known_log_densities():
    # One Gaussian: -log(2π·0.5²) - 3²/(2·0.5²) at a distance of 3.
    one = toy2d.GaussianMixture2D(torch.zeros(1, 2), std=0.5)
    assert one.log_prob(torch.tensor([3.0, 0.0])).item() == pytest.approx(
        -math.log(math.pi / 2) - 18, abs=1e-5
    )
    # At a mode of the grid, the 24 others are 15 standard deviations away.
    at_mode = toy2d.grid().log_prob(torch.tensor([1.5, -3.0]))
    assert at_mode.item() == pytest.approx(-math.log(25 * 2 * math.pi * 0.01), abs=1e-5)
    # Unequal weights: 3 of 4 parts.
    means = torch.tensor([[-3.0, 0.0], [3.0, 0.0]])
    weighted = toy2d.GaussianMixture2D(means, std=0.1, weights=torch.tensor([3.0, 1.0]))
    assert weighted.log_prob(means[0]).item() == pytest.approx(
        math.log(0.75 / (2 * math.pi * 0.01)), abs=1e-5
    )
    board = toy2d.checkerboard().log_prob(
        torch.tensor([[-3.9, -3.9], [-1.9, -3.9], [-1.0, -1.0], [5.0, 1.0]])
    )
    assert board.tolist() == pytest.approx([-math.log(32), -math.inf, -math.log(32), -math.inf])


def test_checkerboard_samples_are_on_dark_squares():
    data = toy2d.checkerboard()
    assert data.log_prob(data.sample(10_000)).isfinite().all()


@pytest.mark.parametrize("data", [toy2d.two_moons(), toy2d.spiral()], ids=["two_moons", "spiral"])
def test_quadrature_has_converged(data):
    x, _ = cells(60)
    assert (data.log_prob(x) - data.log_prob(x, nodes=1024)).abs().max() < 1e-3


def test_a_straight_curve_has_a_known_density():
    # Uniform on [-1, 1] of the x axis plus noise: a difference of two normal distribution functions.
    line = toy2d.NoisyCurves([lambda t: torch.stack([2 * t - 1, 0 * t], dim=-1)], std=0.2)
    normal = torch.distributions.Normal(0.0, 0.2)
    for x in (0.0, 0.9, 1.3):
        exact = ((normal.cdf(torch.tensor(x + 1)) - normal.cdf(torch.tensor(x - 1))) / 2).log()
        exact = exact + normal.log_prob(torch.tensor(0.1))
        assert line.log_prob(torch.tensor([x, 0.1])).item() == pytest.approx(exact.item(), abs=1e-4)


@every_data_set
def test_log_prob_keeps_leading_shape_and_dtype(data):
    assert data.log_prob(torch.zeros(2)).shape == ()
    assert data.log_prob(torch.zeros(3, 4, 2)).shape == (3, 4)
    assert data.log_prob(torch.zeros(3, 2, dtype=torch.float64)).dtype == torch.float64


@every_data_set
def test_bad_input_is_refused(data):
    with pytest.raises(ValueError, match=r"x must have shape \(…, 2\), got \(5, 3\)"):
        data.log_prob(torch.zeros(5, 3))
    with pytest.raises(ValueError, match="n must be a positive whole number, got 0"):
        data.sample(0)


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="std must be positive, got 0"):
        toy2d.ring(std=0)
    with pytest.raises(ValueError, match="std must be positive, got -1"):
        toy2d.spiral(std=-1)
    with pytest.raises(ValueError, match="modes must be a positive whole number"):
        toy2d.ring(modes=0)
    with pytest.raises(ValueError, match=r"means must have shape \(k, 2\), got \(3,\)"):
        toy2d.GaussianMixture2D(torch.zeros(3), std=1.0)
    with pytest.raises(ValueError, match="weights must be 2 positive numbers"):
        toy2d.GaussianMixture2D(torch.zeros(2, 2), std=1.0, weights=torch.ones(3))
    with pytest.raises(ValueError, match="squares must be an even number"):
        toy2d.checkerboard(squares=3)

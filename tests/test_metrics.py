"""gm_lab.metrics against closed forms and SciPy."""

import pytest
import scipy.linalg
import scipy.stats
import torch
from torch import tensor

from gm_lab import metrics


def quantiles(mean, std, n=20_001):
    """n values that are distributed exactly like N(mean, std²), up to the outermost ones."""
    levels = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.distributions.Normal(tensor(mean).double(), std).icdf(levels)


def test_wasserstein_1d_is_the_mean_distance_of_sorted_values():  # P5
    x, y = tensor([3.0, 1.0, 2.0]), tensor([2.5, 4.0, 0.0])
    assert metrics.wasserstein_1d(x, y).item() == pytest.approx((1 + 0.5 + 1) / 3)


def test_wasserstein_1d_matches_scipy():  # P5
    x, y = torch.randn(2, 500, dtype=torch.float64)
    expected = scipy.stats.wasserstein_distance(x.numpy(), y.numpy())
    assert metrics.wasserstein_1d(x, y).item() == pytest.approx(expected)


def test_wasserstein_1d_of_a_shift_is_the_shift():  # P5
    x = torch.randn(1000, dtype=torch.float64)
    assert metrics.wasserstein_1d(x, x[torch.randperm(1000)] + 2.5).item() == pytest.approx(2.5)


def test_frechet_distance_of_gaussians_on_a_line():  # P5: W2² = Δμ² + Δσ²
    x, y = quantiles(0.0, 1.0)[:, None], quantiles(3.0, 2.5)[:, None]
    assert metrics.frechet_distance(x, y).item() == pytest.approx(3**2 + 1.5**2, rel=1e-3)


def test_frechet_distance_of_a_set_with_itself_is_zero():  # P7
    x = torch.randn(200, 6, dtype=torch.float64) @ torch.randn(6, 6, dtype=torch.float64)
    assert metrics.frechet_distance(x, x).item() == pytest.approx(0, abs=1e-8)


def test_frechet_distance_matches_the_matrix_square_root():  # P7
    torch.manual_seed(0)
    x = torch.randn(300, 4, dtype=torch.float64) @ torch.randn(4, 4, dtype=torch.float64)
    y = torch.randn(200, 4, dtype=torch.float64) @ torch.randn(4, 4, dtype=torch.float64) + 1
    covariance_x, covariance_y = torch.cov(x.T), torch.cov(y.T)
    root = torch.from_numpy(scipy.linalg.sqrtm((covariance_x @ covariance_y).numpy()).real)
    expected = (x.mean(0) - y.mean(0)).square().sum()
    expected = expected + (covariance_x + covariance_y - 2 * root).trace()
    assert metrics.frechet_distance(x, y).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.wasserstein_1d(torch.zeros(3), torch.zeros(4)), r"got \(3,\) and \(4,\)"),
        (lambda: metrics.wasserstein_1d(torch.zeros(0), torch.zeros(0)), r"got \(0,\) and \(0,\)"),
        (lambda: metrics.frechet_distance(torch.zeros(1, 2), torch.zeros(5, 2)), r"x must have shape"),
        (lambda: metrics.frechet_distance(torch.zeros(5, 2), torch.zeros(5)), r"y must have shape"),
        (
            lambda: metrics.frechet_distance(torch.zeros(5, 2), torch.zeros(5, 3)),
            "equally many dims, got 2 and 3",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

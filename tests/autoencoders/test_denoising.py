import pytest
import torch

from gm_lab.autoencoders import DenoisingAutoencoder
from gm_lab.train import fit

STD, NOISE_STD = torch.tensor([2.0, 0.5, 1.0], dtype=torch.float64), 0.8
SHRINKAGE = STD**2 / (STD**2 + NOISE_STD**2)


def whitened_data(n=4000):
    """Data of mean 0 and covariance diag(STD²), exactly, so that the known answer is exact as well."""
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x - x.mean(0)
    factor = torch.linalg.cholesky(torch.cov(x.T, correction=0))
    return torch.linalg.solve_triangular(factor, x.T, upper=False).T * STD


def optimal_denoiser():
    model = DenoisingAutoencoder((3,), 3, hidden_dims=(), noise_std=NOISE_STD).double()
    with torch.no_grad():
        model.encoder[0].weight.copy_(torch.eye(3))
        model.decoder[0].weight.copy_(torch.diag(SHRINKAGE))
        model.encoder[0].bias.zero_()
        model.decoder[0].bias.zero_()
    return model


def test_the_score_of_the_optimal_denoiser_is_that_of_the_noisy_density():
    """A2: for N(0, s²) data r(x) = s²x/(s² + σ²), and r(x) - x = σ² ∇ log p(x)."""
    x = whitened_data(50)
    noisy_density = torch.distributions.Normal(0.0, (STD**2 + NOISE_STD**2).sqrt())
    points = x.clone().requires_grad_()
    (score,) = torch.autograd.grad(noisy_density.log_prob(points).sum(), points)
    torch.testing.assert_close(optimal_denoiser().score(x), score, rtol=1e-12, atol=1e-12)


def test_the_loss_of_the_optimal_denoiser_is_the_variance_that_stays_unknown():
    """The posterior variance of each dimension, s²σ²/(s² + σ²)."""
    torch.manual_seed(0)
    loss = optimal_denoiser().loss(whitened_data(200_000))["loss"].item()
    assert loss == pytest.approx((STD**2 * NOISE_STD**2 / (STD**2 + NOISE_STD**2)).sum().item(), rel=0.01)


def test_training_finds_the_optimal_denoiser():
    """A2: a linear denoiser, from random weights."""
    torch.manual_seed(0)
    model = DenoisingAutoencoder((3,), 3, hidden_dims=(), noise_std=NOISE_STD)
    fit(model, whitened_data().float(), 500, batch_size=2000, lr=0.05, decay=True)
    found = model.reconstruct(torch.eye(3)) - model.reconstruct(torch.zeros(1, 3))
    torch.testing.assert_close(found, torch.diag(SHRINKAGE).float(), atol=0.03, rtol=0)


def test_gaussian_corruption_has_the_given_spread():
    torch.manual_seed(0)
    noise = DenoisingAutoencoder((100,), 2, noise_std=0.3).corrupt(torch.ones(1000, 100)) - 1
    assert noise.mean().item() == pytest.approx(0, abs=0.005)
    assert noise.std().item() == pytest.approx(0.3, abs=0.005)


def test_masking_sets_a_share_to_zero_and_leaves_the_rest():
    torch.manual_seed(0)
    model = DenoisingAutoencoder((100,), 2, corruption="masking", mask_rate=0.25)
    masked = model.corrupt(torch.full((1000, 100), 0.7))
    assert masked.eq(0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert masked[masked != 0].unique().tolist() == pytest.approx([0.7])


@pytest.mark.parametrize("corruption", ["gaussian", "masking"])
def test_the_target_is_the_clean_example(corruption):
    torch.manual_seed(0)
    model, x = DenoisingAutoencoder((3,), 4, (8,), corruption=corruption), torch.rand(50, 3)
    noisy = model.corrupt(x)
    assert not torch.equal(noisy, x)
    model.corrupt = lambda clean: noisy
    expected = (model.reconstruct(noisy) - x).square().sum(1).mean()
    torch.testing.assert_close(model.loss(x)["loss"], expected)


def test_noisy_values_may_leave_the_unit_interval_where_the_clean_ones_must_not():
    model = DenoisingAutoencoder((3,), 4, (8,), noise_std=2.0, reconstruction="cross_entropy")
    assert model.loss(torch.rand(50, 3))["loss"].isfinite()
    assert model.reconstruct(5 * torch.randn(50, 3)).isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"corruption": "blur"}, "corruption must be 'gaussian' or 'masking', got 'blur'"),
        ({"noise_std": -1.0}, "noise_std must be a number from 0 up, got -1.0"),
        ({"mask_rate": 1.5}, r"mask_rate must lie in \[0, 1\], got 1.5"),
        ({"code_dim": 0}, "code_dim must be a positive integer, got 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        DenoisingAutoencoder(**{"shape": (3,), "code_dim": 2} | arguments)


@pytest.mark.parametrize("arguments", [{"corruption": "masking"}, {"noise_std": 0.0}])
def test_there_is_no_score_without_gaussian_noise(arguments):
    with pytest.raises(ValueError, match="the score needs Gaussian noise, got"):
        DenoisingAutoencoder((3,), 2, **arguments).score(torch.zeros(1, 3))

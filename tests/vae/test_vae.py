import math

import pytest
import torch

from gm_lab.likelihood import ProbabilisticPCA
from gm_lab.train import fit
from gm_lab.vae import VAE


def gaussian_data(n=400, dims=5):
    """Correlated Gaussian data, (n, dims), float64."""
    generator = torch.Generator().manual_seed(3)
    mixing = torch.randn(dims, dims, generator=generator, dtype=torch.float64)
    noise = torch.randn(n, dims, generator=generator, dtype=torch.float64)
    return noise @ mixing * torch.linspace(1.5, 0.3, dims, dtype=torch.float64) + 0.5


def linear_vae(pca):
    """A linear Gaussian VAE with the weights of a probabilistic PCA, and with the best factorized q.

    That q has the mean of the exact posterior and, as precisions, the diagonal of its precision matrix.
    """
    dims, latent_dim = pca.weight.shape
    vae = VAE((dims,), latent_dim, hidden_dims=(), likelihood="gaussian").double()
    (encoder,), (decoder,) = vae.encoder, vae.decoder
    covariance = pca.posterior(pca.mean[None])[1]
    to_mean = covariance @ pca.weight.T * torch.exp(-pca.log_var)  # (latent_dim, dims)
    with torch.no_grad():
        decoder.weight.copy_(pca.weight)
        decoder.bias.copy_(pca.mean)
        vae.pixel_log_var.copy_(pca.log_var)
        encoder.weight[:latent_dim] = to_mean
        encoder.bias[:latent_dim] = -to_mean @ pca.mean
        encoder.weight[latent_dim:] = 0.0
        encoder.bias[latent_dim:] = -torch.linalg.inv(covariance).diagonal().log()
    return vae


def rotated(pca, angle):
    """The same model with its two latent axes rotated: the posterior is now correlated."""
    cos, sin = math.cos(angle), math.sin(angle)
    rotation = torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)
    return ProbabilisticPCA(pca.weight @ rotation, pca.mean, pca.log_var)


def binary_images(n=20, shape=(1, 4, 4)):
    return (torch.rand(n, *shape, generator=torch.Generator().manual_seed(1)) < 0.3).float()


# --- exact answers ---


def test_the_weights_of_probabilistic_pca_reach_its_log_likelihood():
    """V1 and V2: with the exact posterior as q, every single draw of z gives log p(x)."""
    x = gaussian_data()
    vae = linear_vae(ProbabilisticPCA.fit(x, latent_dim=2))
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0)
    variance = eigenvalues[2:].mean()
    log_likelihood = -0.5 * (
        5 * math.log(2 * math.pi) + eigenvalues[:2].log().sum() + 3 * variance.log() + 5
    )  # V1, per example
    log_weights = vae.log_weights(x, n_samples=7)
    assert log_weights.shape == (7, len(x))
    torch.testing.assert_close(log_weights.mean(1), log_likelihood.expand(7), rtol=0, atol=1e-9)
    torch.testing.assert_close(log_weights, log_weights[:1].expand(7, -1), rtol=0, atol=1e-9)
    torch.testing.assert_close(vae.log_prob_bound(x, 3), log_weights[0], rtol=0, atol=1e-9)


def test_training_a_linear_vae_finds_the_log_likelihood_of_probabilistic_pca():
    """V1: also by gradient descent, from random weights."""
    torch.manual_seed(0)
    x = gaussian_data().float()
    best = ProbabilisticPCA.fit(x, latent_dim=2).log_prob(x).mean().item()
    vae = VAE((5,), 2, hidden_dims=(), likelihood="gaussian")
    fit(vae, x, 2500, batch_size=100, lr=0.02, decay=True)
    reached = vae.log_prob_bound(x, 20).mean().item()
    assert best - 0.03 < reached < best + 0.003  # above by no more than the noise of 20 draws
    assert vae.elbo(x, 200).mean().item() == pytest.approx(best, abs=0.03)


def test_the_gap_of_a_factorized_posterior_is_its_kl_to_the_exact_one():
    """V3: with a correlated posterior of precision P the gap is ½(Σ ln Pᵢᵢ - ln det P)."""
    x = gaussian_data()
    pca = rotated(ProbabilisticPCA.fit(x, latent_dim=2), angle=0.8)
    precision = torch.linalg.inv(pca.posterior(x)[1])
    gap = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
    assert gap > 0.05  # or the test would say nothing
    vae = linear_vae(pca)
    torch.testing.assert_close(pca.log_prob(x) - pca.elbo(x, *vae.encode(x)), gap.expand(len(x)))
    torch.manual_seed(0)
    estimate = (pca.log_prob(x) - vae.elbo(x, 2000)).mean()
    assert estimate.item() == pytest.approx(gap.item(), abs=0.005)
    estimate = (pca.log_prob(x) - vae.log_weights(x, 2000).mean(0)).mean()
    assert estimate.item() == pytest.approx(gap.item(), abs=0.005)


def test_importance_weighted_bounds_rise_to_the_log_likelihood():
    """V4: in the same model, E L_k rises with k from the ELBO to log p(x)."""
    torch.manual_seed(0)
    x = gaussian_data()
    pca = rotated(ProbabilisticPCA.fit(x, latent_dim=2), angle=0.8)
    vae = linear_vae(pca)
    exact = pca.log_prob(x).mean()
    gaps = [(exact - vae.log_prob_bound(x, k).mean()).item() for k in (1, 5, 50, 2000)]
    elbo_gap = (pca.log_prob(x) - pca.elbo(x, *vae.encode(x))).mean().item()
    assert gaps[0] == pytest.approx(elbo_gap, abs=0.1)
    assert gaps == sorted(gaps, reverse=True)
    assert abs(gaps[-1]) < 0.01


def test_the_bernoulli_likelihood_is_that_of_every_pixel():
    vae, x, z = VAE((1, 4, 4), 3, (8,)), binary_images(), torch.randn(20, 3)
    on = vae.decode(z).sigmoid()
    expected = torch.where(x == 1, on, 1 - on).log().sum((1, 2, 3))
    torch.testing.assert_close(vae.log_likelihood(x, z), expected)


def test_all_images_together_have_probability_one():
    """The importance-weighted bound of all 2⁴ images of 2×2 pixels sums to one."""
    torch.manual_seed(0)
    images = torch.tensor([[int(bit) for bit in f"{code:04b}"] for code in range(16)]).float()
    vae = VAE((1, 2, 2), 2, (8,))
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.mul_(3)  # away from the uniform distribution
    total = vae.log_prob_bound(images.reshape(16, 1, 2, 2), 20_000).exp().sum().item()
    assert total == pytest.approx(1, abs=0.01)


# --- the objective ---


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_the_loss_is_minus_the_mean_elbo(likelihood):
    vae, x = VAE((1, 4, 4), 3, (8,), likelihood), binary_images()
    torch.manual_seed(5)
    terms = vae.loss(x)
    torch.manual_seed(5)
    elbo = vae.elbo(x)
    assert elbo.shape == (20,)
    assert set(terms) == {"loss", "reconstruction", "kl"}
    torch.testing.assert_close(terms["loss"], -elbo.mean())
    torch.testing.assert_close(terms["loss"], terms["reconstruction"] + terms["kl"])


def test_the_loss_is_a_mean_over_the_batch_and_a_sum_over_pixels():
    torch.manual_seed(0)
    vae = linear_vae(ProbabilisticPCA.fit(gaussian_data(), latent_dim=2))
    one = gaussian_data()[:1]
    terms = [vae.loss(one.expand(n, -1)) for n in (20_000, 40_000)]
    for key in terms[0]:
        assert terms[0][key].item() == pytest.approx(terms[1][key].item(), abs=0.05)
    wide = VAE((1, 10, 10), 2, (8,))
    with torch.no_grad():
        for parameter in wide.parameters():
            parameter.zero_()  # every pixel is on with probability one half
    assert wide.loss(binary_images(6, (1, 10, 10)))["loss"].item() == pytest.approx(100 * math.log(2))


def test_gradients_reach_every_parameter():
    vae = VAE((1, 4, 4), 3, (8,), "gaussian")
    vae.loss(binary_images())["loss"].backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in vae.parameters())


def test_reparameterize_draws_from_the_posterior():
    torch.manual_seed(0)
    mean, log_var = torch.tensor([1.0, -2.0]), torch.tensor([0.0, math.log(0.25)])
    vae = VAE((1, 2, 2), 2)
    draws = vae.reparameterize(mean.expand(100_000, 2), log_var.expand(100_000, 2))
    torch.testing.assert_close(draws.mean(0), mean, atol=0.02, rtol=0)
    torch.testing.assert_close(draws.std(0), torch.tensor([1.0, 0.5]), atol=0.01, rtol=0)


# --- sampling ---


def test_bernoulli_samples_are_binary_and_follow_the_model():
    torch.manual_seed(0)
    vae = VAE((1, 2, 2), 2, (8,))
    with torch.no_grad():
        vae.decoder[-1].weight.zero_()
        vae.decoder[-1].bias.copy_(torch.tensor([0.1, 0.3, 0.5, 0.9]).logit())
    images = vae.sample(20_000)
    assert set(images.unique().tolist()) == {0.0, 1.0}
    frequencies = images.mean(0).flatten()
    torch.testing.assert_close(frequencies, torch.tensor([0.1, 0.3, 0.5, 0.9]), atol=0.015, rtol=0)
    torch.testing.assert_close(vae.sample(3, mean=True)[2].flatten(), torch.tensor([0.1, 0.3, 0.5, 0.9]))


def test_gaussian_samples_have_the_covariance_of_the_model():
    torch.manual_seed(0)
    pca = ProbabilisticPCA.fit(gaussian_data(), latent_dim=2)
    vae = linear_vae(pca)
    signal = pca.weight @ pca.weight.T
    noise = torch.eye(5, dtype=torch.float64) * pca.log_var.exp()
    scale = (signal + noise).abs().max().item()
    draws, means = torch.cov(vae.sample(50_000).T), torch.cov(vae.sample(50_000, mean=True).T)
    torch.testing.assert_close(draws, signal + noise, atol=0.03 * scale, rtol=0)
    torch.testing.assert_close(means, signal, atol=0.03 * scale, rtol=0)


# --- shapes, storage ---


@pytest.mark.parametrize("hidden_dims", [(), (8,), (16, 8)])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_shapes(hidden_dims, likelihood):
    vae, x = VAE((3, 4, 5), 2, hidden_dims, likelihood), binary_images(6, (3, 4, 5))
    mean, log_var = vae.encode(x)
    assert mean.shape == log_var.shape == (6, 2)
    assert vae.decode(mean).shape == vae.reconstruct(x).shape == x.shape
    assert vae.decode(torch.zeros(7, 6, 2)).shape == (7, 6, 3, 4, 5)
    assert vae.decoder(torch.zeros(9, 2)).shape == (9, 60)
    assert vae.elbo(x, 4).shape == vae.log_prob_bound(x, 4).shape == (6,)
    assert vae.sample(5).shape == vae.sample(5, mean=True).shape == (5, 3, 4, 5)


def test_the_bound_does_not_depend_on_how_it_is_cut_to_pieces():
    vae = linear_vae(
        ProbabilisticPCA.fit(gaussian_data(), latent_dim=2)
    )  # every weight is log p(x): no noise
    x = gaussian_data(n=60)
    whole = vae.log_prob_bound(x, 2)
    in_pieces = vae.log_prob_bound(x, 20_000)  # ten images at a time
    torch.testing.assert_close(in_pieces, whole, rtol=0, atol=1e-9)


def test_weights_survive_storage():
    vae, copy = VAE((1, 4, 4), 2, likelihood="gaussian"), VAE((1, 4, 4), 2, likelihood="gaussian")
    copy.load_state_dict(vae.state_dict())
    torch.testing.assert_close(copy.reconstruct(binary_images()), vae.reconstruct(binary_images()))


def test_training_lowers_the_loss_on_unseen_images():
    torch.manual_seed(0)
    prototypes = binary_images(4, (1, 4, 4))
    images = prototypes[torch.randint(4, (600,))]
    vae = VAE((1, 4, 4), 2, (32,))
    before = vae.loss(images[500:])["loss"].item()
    fit(vae, images[:500], 600, lr=3e-3)
    after = vae.loss(images[500:])["loss"].item()
    assert before > 10
    assert after < math.log(4) + 1.5  # the entropy of four images, and a gap


# --- bad input ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"latent_dim": 0}, "latent_dim must be a positive integer, got 0"),
        ({"latent_dim": 1.5}, "latent_dim must be a positive integer, got 1.5"),
        ({"likelihood": "poisson"}, "likelihood must be 'bernoulli' or 'gaussian', got 'poisson'"),
        ({"hidden_dims": (8, 0)}, "at least two positive integers"),
        ({"image_shape": (1, 0, 4)}, "at least two positive integers"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        VAE(**{"image_shape": (1, 4, 4), "latent_dim": 2} | arguments)


@pytest.mark.parametrize("method", ["loss", "elbo", "log_prob_bound", "encode", "reconstruct"])
def test_bad_images_are_refused(method):
    call = getattr(VAE((1, 4, 4), 2, (8,)), method)
    with pytest.raises(ValueError, match=r"shape \(batch, 1, 4, 4\), got \(20, 4, 4\)"):
        call(binary_images()[:, 0])
    with pytest.raises(ValueError, match=r"shape \(batch, 1, 4, 4\), got \(0, 1, 4, 4\)"):
        call(binary_images()[:0])
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\], got values in \[-1, 1\]"):
        call(2 * binary_images() - 1)
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        call(binary_images() * math.nan)


@pytest.mark.parametrize("method", ["elbo", "log_weights", "log_prob_bound"])
def test_no_samples_are_refused(method):
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        getattr(VAE((1, 4, 4), 2, (8,)), method)(binary_images(), n_samples=0)


def test_gaussian_pixels_may_take_any_value():
    loss = VAE((1, 4, 4), 2, (8,), "gaussian").loss(6 * binary_images() - 3)["loss"]
    assert loss.isfinite()

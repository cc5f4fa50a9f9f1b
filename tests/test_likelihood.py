"""gm_lab.likelihood: closed-form estimates, exact marginal likelihoods and the estimators held to them."""

import math

import pytest
import scipy.stats
import torch
from torch import tensor
from torch.distributions import MultivariateNormal, Normal

from gm_lab import likelihood as lk
from gm_lab.probability import gaussian_kl, gaussian_log_prob


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def pca():
    weight = torch.randn(5, 2, dtype=torch.float64)
    return lk.ProbabilisticPCA(weight, torch.randn(5, dtype=torch.float64), tensor(0.3).double().log())


# ---- maximum likelihood ----------------------------------------------------------------------------------


def test_gaussian_estimate_divides_by_n():  # P6
    mean, log_var = lk.fit_gaussian(tensor([[1.0], [2.0], [6.0]]))
    assert mean.item() == pytest.approx(3)
    assert log_var.exp().item() == pytest.approx(14 / 3)  # not 14/2


def test_bernoulli_estimate_is_the_mean():  # P6
    assert lk.fit_bernoulli(tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])).tolist() == pytest.approx(
        [2 / 3, 1 / 3]
    )


def test_no_other_gaussian_is_more_likely():
    x = torch.randn(200, 3, dtype=torch.float64) * 2 + 1
    mean, log_var = lk.fit_gaussian(x)
    best = gaussian_log_prob(x, mean, log_var).sum()
    for _ in range(50):
        other = gaussian_log_prob(x, mean + 0.1 * torch.randn(3), log_var + 0.1 * torch.randn(3)).sum()
        assert other < best


def test_gradient_ascent_finds_argmax_and_max():  # P9
    theta = tensor(0.0, requires_grad=True)
    values = lk.gradient_ascent(lambda: -((theta - 3) ** 2) + 10, [theta], steps=100, lr=0.1)
    assert theta.item() == pytest.approx(3, abs=1e-5)
    assert values[-1].item() == pytest.approx(10, abs=1e-5)
    assert values[0].item() == pytest.approx(1)
    assert values.shape == (100,)


def test_gradient_ascent_agrees_with_the_closed_form():
    x = torch.randn(500, 2, dtype=torch.float64) * 0.5 - 1
    mean, log_var = (torch.zeros(2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    lk.gradient_ascent(lambda: gaussian_log_prob(x, mean, log_var).mean(), [mean, log_var], steps=500, lr=0.2)
    exact_mean, exact_log_var = lk.fit_gaussian(x)
    torch.testing.assert_close(mean.detach(), exact_mean, atol=1e-6, rtol=0)
    torch.testing.assert_close(log_var.detach(), exact_log_var, atol=1e-6, rtol=0)


def test_products_underflow_and_sums_of_logs_do_not():  # P12
    probabilities = torch.full((1000,), 0.1, dtype=torch.float64)
    assert probabilities.prod() == 0
    assert probabilities.log().sum().item() == pytest.approx(-2302.585, abs=1e-3)


# ---- exact marginal likelihoods --------------------------------------------------------------------------


def test_mixture_matches_scipy():
    x = torch.linspace(-5, 5, 50, dtype=torch.float64)[:, None]
    weights, means, stds = [0.2, 0.8], [-1.0, 2.0], [0.5, 1.5]
    ours = lk.mixture_log_prob(
        x, tensor(weights).double(), tensor(means).double()[:, None], 2 * tensor(stds).double().log()[:, None]
    )
    density = sum(
        w * scipy.stats.norm.pdf(x[:, 0].numpy(), m, s) for w, m, s in zip(weights, means, stds, strict=True)
    )
    torch.testing.assert_close(ours.exp(), torch.as_tensor(density), atol=1e-7, rtol=1e-6)


def test_ppca_log_prob_is_that_of_the_full_gaussian(pca):
    x, _ = pca.sample(20)
    covariance = pca.weight @ pca.weight.T + pca.log_var.exp() * torch.eye(5)
    torch.testing.assert_close(pca.log_prob(x), MultivariateNormal(pca.mean, covariance).log_prob(x))


def test_ppca_maximum_likelihood_formula():  # V1
    x = torch.randn(400, 6, dtype=torch.float64) @ torch.randn(6, 6, dtype=torch.float64) + 3
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0)
    for k in (1, 2, 5):
        discarded = eigenvalues[k:].mean()
        formula = -0.5 * (6 * lk.LOG_2PI + eigenvalues[:k].log().sum() + (6 - k) * discarded.log() + 6)
        fitted = lk.ProbabilisticPCA.fit(x, k)
        assert fitted.log_prob(x).mean().item() == pytest.approx(formula.item(), abs=1e-9)


def test_ppca_ratio_is_the_same_for_every_latent(pca):  # V2
    x, _ = pca.sample(10)
    mean, covariance = pca.posterior(x)
    posterior = MultivariateNormal(mean, covariance)
    z = posterior.sample((7,))
    log_ratio = pca.log_joint(x, z) - posterior.log_prob(z)  # (7, 10)
    torch.testing.assert_close(log_ratio, pca.log_prob(x).expand(7, 10), atol=1e-9, rtol=0)


def test_ppca_gap_of_the_best_factorized_posterior(pca):  # V3
    x, _ = pca.sample(10)
    mean, covariance = pca.posterior(x)
    precision = torch.linalg.inv(covariance)
    gap = pca.log_prob(x) - pca.elbo(x, mean, -precision.diagonal().log().expand_as(mean))
    formula = 0.5 * (precision.diagonal().log().sum() - torch.logdet(precision))
    torch.testing.assert_close(gap, formula.expand(10), atol=1e-9, rtol=0)
    assert formula > 1e-3  # otherwise this would test nothing


def test_ppca_elbo_is_a_bound_and_its_gap_a_divergence(pca):  # V3
    x, _ = pca.sample(50)
    mean, log_var = torch.randn(50, 2, dtype=torch.float64), torch.randn(50, 2, dtype=torch.float64)
    gap = pca.log_prob(x) - pca.elbo(x, mean, log_var)
    posterior_mean, covariance = pca.posterior(x)
    precision = torch.linalg.inv(covariance)
    delta = mean - posterior_mean
    kl = 0.5 * (
        log_var.exp() @ precision.diagonal()
        + torch.einsum("ni,ij,nj->n", delta, precision, delta)
        - 2
        - log_var.sum(-1)
        - torch.logdet(precision)
    )
    torch.testing.assert_close(gap, kl, atol=1e-9, rtol=0)
    assert (gap > 0).all()


def test_ppca_closed_form_elbo_matches_samples(pca):
    x, _ = pca.sample(3)
    mean, log_var = torch.randn(3, 2, dtype=torch.float64), torch.full((3, 2), -1.0, dtype=torch.float64)
    z = Normal(mean, torch.exp(0.5 * log_var)).sample((200_000,))
    terms = pca.log_joint(x, z) - gaussian_log_prob(z, mean, log_var)
    standard_error = terms.std(0) / math.sqrt(len(terms))
    assert ((terms.mean(0) - pca.elbo(x, mean, log_var)).abs() < 5 * standard_error).all()


def test_ppca_samples_have_the_model_covariance(pca):
    x, z = pca.sample(200_000, torch.Generator().manual_seed(1))
    covariance = pca.weight @ pca.weight.T + pca.log_var.exp() * torch.eye(5)
    torch.testing.assert_close(torch.cov(x.T), covariance, atol=0.1, rtol=0.02)
    assert z.shape == (200_000, 2)
    assert torch.equal(x[:3], pca.sample(200_000, torch.Generator().manual_seed(1))[0][:3])


# ---- estimators of the marginal likelihood ---------------------------------------------------------------


def test_log_mean_exp_neither_overflows_nor_underflows():
    assert lk.log_mean_exp(tensor([-1000.0, -1000.0])).item() == pytest.approx(-1000)
    assert lk.log_mean_exp(tensor([1000.0, -math.inf])).item() == pytest.approx(1000 - math.log(2))


def test_importance_sampling_with_the_posterior_needs_one_sample(pca):
    x, _ = pca.sample(4)
    posterior = MultivariateNormal(*pca.posterior(x))
    z = posterior.sample((1,))
    torch.testing.assert_close(lk.log_mean_exp(pca.log_joint(x, z) - posterior.log_prob(z)), pca.log_prob(x))


def test_prior_sampling_is_unbiased_for_p_and_low_for_log_p(pca):
    x, _ = pca.sample(1)
    z = torch.randn(20_000, 50, 2, dtype=torch.float64)  # 20,000 estimates of 50 samples each
    log_weights = gaussian_log_prob(x.expand(50, 5), pca.decode(z), pca.log_var)
    estimates = lk.log_mean_exp(log_weights, dim=1)
    exact = pca.log_prob(x)
    ratio = torch.exp(estimates - exact)
    assert abs(ratio.mean().item() - 1) < 5 * ratio.std().item() / math.sqrt(20_000)
    assert estimates.mean() < exact - 0.01


def test_effective_sample_size():
    assert lk.effective_sample_size(torch.full((8,), -500.0)).item() == pytest.approx(8)
    assert lk.effective_sample_size(tensor([0.0, -math.inf, -math.inf])).item() == pytest.approx(1)


# ---- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lk.fit_gaussian(torch.zeros(0, 2)), ValueError, r"n at least 1, got \(0, 2\)"),
        (lambda: lk.fit_gaussian(torch.zeros(3)), ValueError, r"shape \(n, dims\)"),
        (lambda: lk.fit_bernoulli(tensor([[2.0]])), ValueError, r"x must lie in \[0, 1\]"),
        (lambda: lk.log_mean_exp(torch.zeros(0, 3)), ValueError, "at least one sample"),
        (lambda: lk.ProbabilisticPCA.fit(torch.zeros(4, 3), 3), ValueError, r"latent_dim must lie in 1\.\.2"),
        (
            lambda: lk.ProbabilisticPCA(torch.zeros(3, 2), torch.zeros(2), tensor(0.0)),
            ValueError,
            r"got \(3, 2\), \(2,\), \(\)",
        ),
        (
            lambda: lk.mixture_log_prob(
                torch.zeros(4, 2), torch.ones(3) / 3, torch.zeros(2, 2), torch.zeros(2, 2)
            ),
            ValueError,
            r"expected weights \(components,\)",
        ),
        (lambda: lk.gradient_ascent(lambda: 0, [], steps=0, lr=1.0), ValueError, "steps must be at least 1"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_gradient_ascent_stops_when_it_diverges():
    theta = tensor(1.0, requires_grad=True)
    with pytest.raises(FloatingPointError, match=r"at step \d+; try lr below 1000.0"):
        lk.gradient_ascent(lambda: -(theta**4), [theta], steps=100, lr=1000.0)


def test_gaussian_kl_of_the_exact_posterior_closes_the_gap():
    """With one latent dimension the factorized family holds the posterior, and the ELBO is exact (V2)."""
    pca = lk.ProbabilisticPCA(
        torch.randn(4, 1, dtype=torch.float64), torch.zeros(4).double(), tensor(-1.0).double()
    )
    x, _ = pca.sample(5)
    mean, covariance = pca.posterior(x)
    torch.testing.assert_close(pca.elbo(x, mean, covariance.log().expand_as(mean)), pca.log_prob(x))
    assert (gaussian_kl(mean, covariance.log().expand_as(mean)) > 0).all()

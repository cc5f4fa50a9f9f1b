"""gm_lab.probability against torch.distributions, SciPy, finite differences and exact answers."""

import math

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch import tensor
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from gm_lab import probability as pr

settings.register_profile("book", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("book")

shapes = arrays.array_shapes(min_dims=1, max_dims=4, max_side=5)


def of_shape(shape, low, high):
    return arrays.arrays(np.float64, shape, elements=st.floats(low, high)).map(torch.from_numpy)


def probabilities(shape):
    """Probability vectors, some with zeros."""
    weights = arrays.arrays(np.float64, shape, elements=st.sampled_from([0.0, 0.1, 1.0, 3.0, 1e-6]))
    return weights.map(lambda w: torch.from_numpy((w + 1e-300) / (w + 1e-300).sum(-1, keepdims=True)))


# ---- known answers ---------------------------------------------------------------------------------------


def test_standard_normal_at_zero():  # P1
    assert pr.gaussian_log_prob(torch.zeros(1), 0.0, 0.0).item() == pytest.approx(-0.9189385, abs=1e-6)


def test_three_pixel_example():  # P2
    x, mean = tensor([0.2, 0.5, 0.9]).double(), tensor([0.3, 0.4, 0.8]).double()
    assert pr.gaussian_log_prob(x, mean, math.log(0.01)).item() == pytest.approx(2.6509397, abs=1e-6)


def test_gaussian_kl_both_directions():  # P3
    mean, log_var = tensor([1.0]).double(), tensor([4.0]).double().log()
    assert pr.gaussian_kl(mean, log_var).item() == pytest.approx(1.3068528, abs=1e-7)
    other = pr.gaussian_kl(torch.zeros(1).double(), 0.0, mean, log_var).item()
    assert other == pytest.approx(0.5 * (0.25 + 0.25 - 1 + math.log(4)), abs=1e-12)
    assert other != pytest.approx(1.3068528, abs=0.1)


def test_js_of_disjoint_and_of_equal_distributions():  # P4
    p, q = tensor([0.5, 0.5, 0.0, 0.0]), tensor([0.0, 0.0, 0.25, 0.75])
    assert pr.js_divergence(p, q).item() == pytest.approx(math.log(2), abs=1e-6)
    assert pr.js_divergence(p, p).item() == 0


def test_js_of_two_gaussians_on_a_grid():  # P4
    x = torch.linspace(-12, 15, 20_001, dtype=torch.float64)
    p, q = (Normal(mean, 1.0).log_prob(x).exp() for mean in (0.0, 3.0))
    assert pr.js_divergence(p / p.sum(), q / q.sum()).item() == pytest.approx(0.5267773, abs=1e-6)


def test_entropy_of_a_biased_coin():  # P6
    assert pr.entropy(tensor([0.3, 0.7]).double()).item() == pytest.approx(0.6108643, abs=1e-7)


def test_bits():  # P10
    bits = pr.nats_to_bits(-torch.log(tensor([1.0, 0.5, 0.25, 0.001]).double()))
    assert bits.tolist() == pytest.approx([0, 1, 2, 9.965784], abs=1e-6)
    assert pr.nats_to_bits(1.0) == pytest.approx(1.442695, abs=1e-6)
    assert pr.bits_per_dim(tensor(-784 * math.log(256.0)).double(), 784).item() == pytest.approx(8)


def test_narrow_gaussian_acts_like_a_dirac_delta():  # P11
    x = torch.linspace(-1, 1, 200_001, dtype=torch.float64)
    values = []
    for std in (0.3, 0.1, 0.01, 0.001):
        density = pr.gaussian_log_prob(x[:, None], 0.0, 2 * math.log(std)).exp()
        values.append(torch.trapezoid(density * torch.cos(x), x).item())
    # E[cos] under N(0, s²) is exp(-s²/2); at 0.3 the grid cuts the tails off.
    assert values[1:] == pytest.approx([math.exp(-(s**2) / 2) for s in (0.1, 0.01, 0.001)], abs=1e-6)
    assert values[-1] == pytest.approx(1, abs=1e-6)


def test_pinball_minimizer_is_the_quantile():
    x = Normal(tensor(0.0).double(), 1.0).icdf((torch.arange(20_000).double() + 0.5) / 20_000)
    candidates = torch.linspace(-2, 2, 401, dtype=torch.float64)
    for level, quantile in [(0.9, 1.28155), (0.15, -1.0364334)]:
        risk = pr.pinball_loss((x[None] - candidates[:, None])[..., None], level).mean(1)
        assert candidates[risk.argmin()].item() == pytest.approx(quantile, abs=0.01)
    assert pr.pinball_loss(tensor([2.0]), 0.9) == pytest.approx(
        1.8
    )  # predicting too low is dear at level 0.9


# ---- properties ------------------------------------------------------------------------------------------


@given(st.data(), shapes)
def test_gaussian_log_prob_matches_torch_and_scipy(data, shape):
    x, mean = data.draw(of_shape(shape, -1e3, 1e3)), data.draw(of_shape(shape, -1e3, 1e3))
    log_var = data.draw(of_shape(shape, math.log(1e-12), math.log(1e12)))
    ours = pr.gaussian_log_prob(x, mean, log_var)
    std = torch.exp(0.5 * log_var)
    assert ours.shape == shape[:-1]
    torch.testing.assert_close(ours, Independent(Normal(mean, std), 1).log_prob(x), rtol=1e-9, atol=1e-9)
    scipy_value = scipy.stats.norm.logpdf(x.numpy(), mean.numpy(), std.numpy()).sum(-1)
    np.testing.assert_allclose(ours.numpy(), scipy_value, rtol=1e-9, atol=1e-9)


@given(st.data(), shapes)
def test_bernoulli_log_prob_matches_torch(data, shape):
    logits = data.draw(of_shape(shape, -100, 100))
    x = data.draw(of_shape(shape, 0, 1)).round()
    ours = pr.bernoulli_log_prob(x, logits)
    torch.testing.assert_close(
        ours, Independent(Bernoulli(logits=logits), 1).log_prob(x), rtol=1e-9, atol=1e-12
    )
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
    torch.testing.assert_close(ours, -loss, rtol=1e-9, atol=1e-12)


@given(st.data(), shapes)
def test_gaussian_kl_matches_torch_and_is_not_negative(data, shape):
    means = [data.draw(of_shape(shape, -1e2, 1e2)) for _ in range(2)]
    log_vars = [data.draw(of_shape(shape, math.log(1e-12), math.log(1e12))) for _ in range(2)]
    ours = pr.gaussian_kl(means[0], log_vars[0], means[1], log_vars[1])
    q, p = (Independent(Normal(m, torch.exp(0.5 * v)), 1) for m, v in zip(means, log_vars, strict=True))
    torch.testing.assert_close(ours, kl_divergence(q, p), rtol=1e-6, atol=1e-6)
    assert (ours >= 0).all()
    assert pr.gaussian_kl(means[0], log_vars[0], means[0], log_vars[0]).eq(0).all()


@given(st.data(), shapes)
def test_discrete_divergences(data, shape):
    p, q = data.draw(probabilities(shape)), data.draw(probabilities(shape))
    np.testing.assert_allclose(pr.entropy(p), scipy.stats.entropy(p.numpy(), axis=-1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        pr.kl_divergence(p, q), scipy.stats.entropy(p.numpy(), q.numpy(), axis=-1), rtol=1e-7, atol=1e-7
    )
    torch.testing.assert_close(pr.cross_entropy(p, q), pr.entropy(p) + pr.kl_divergence(p, q))  # P8
    assert (pr.kl_divergence(p, q) >= -1e-12).all()
    assert (pr.cross_entropy(p, q) >= pr.entropy(p) - 1e-12).all()  # P8: the minimum over q is at q = p
    js = pr.js_divergence(p, q)
    assert (js <= math.log(2) + 1e-12).all()
    assert (js >= -1e-12).all()
    torch.testing.assert_close(js, pr.js_divergence(q, p))


@given(st.data(), arrays.array_shapes(min_dims=1, max_dims=2, max_side=4))
def test_gradients_match_finite_differences(data, shape):
    x, mean, log_var = (data.draw(of_shape(shape, -2, 2)).requires_grad_() for _ in range(3))
    assert torch.autograd.gradcheck(pr.gaussian_log_prob, (x, mean, log_var))
    assert torch.autograd.gradcheck(pr.gaussian_kl, (x, mean, log_var, mean))
    assert torch.autograd.gradcheck(
        lambda logits: pr.bernoulli_log_prob(torch.ones(shape).double(), logits), x
    )
    vectors = torch.softmax(x.detach(), -1), torch.softmax(mean.detach(), -1)

    def of_logits(function):
        return lambda a, b: function(torch.softmax(a, -1), torch.softmax(b, -1))

    for function in (pr.cross_entropy, pr.kl_divergence, pr.js_divergence):
        logits = [v.log().requires_grad_() for v in vectors]
        assert torch.autograd.gradcheck(of_logits(function), logits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_but_legal_input_is_finite(dtype):
    x = tensor([0.0, 1.0], dtype=dtype)
    assert pr.bernoulli_log_prob(x, tensor([-100.0, 100.0], dtype=dtype)) == pytest.approx(0, abs=1e-30)
    assert pr.bernoulli_log_prob(x, tensor([100.0, -100.0], dtype=dtype)) == pytest.approx(-200)
    for variance in (1e-12, 1e12):
        log_var = torch.full((2,), math.log(variance), dtype=dtype)
        assert torch.isfinite(pr.gaussian_log_prob(x, 0.0, log_var))
        expected = (variance - 1 - math.log(variance)) / 2 * 2
        assert pr.gaussian_kl(torch.zeros(2, dtype=dtype), log_var).item() == pytest.approx(
            expected, rel=1e-5
        )


def test_infinite_where_the_model_rules_out_what_happens():
    p, q = tensor([0.5, 0.5]), tensor([1.0, 0.0])
    assert pr.kl_divergence(p, q) == math.inf
    assert pr.cross_entropy(p, q) == math.inf
    assert pr.kl_divergence(q, p).item() == pytest.approx(math.log(2))


# ---- bad input -------------------------------------------------------------------------------------------

three, four, batch = torch.zeros(3), torch.zeros(4), torch.zeros(5, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pr.gaussian_log_prob(three, four, 0.0), r"shapes do not fit: x \(3,\), mean \(4,\)"),
        (lambda: pr.gaussian_log_prob(torch.zeros(5), batch, 0.0), "shapes do not fit"),
        (lambda: pr.gaussian_log_prob(torch.zeros(5, 3), batch, 0.0), "shapes do not fit"),
        (lambda: pr.gaussian_log_prob(tensor([1, 2]), 0.0, 0.0), "floating point, got torch.int64"),
        (lambda: pr.gaussian_log_prob(0.0, 0.0, 0.0), "one must be a tensor"),
        (
            lambda: pr.bernoulli_log_prob(tensor([-3.1, 4.2]), 0.0),
            r"x must lie in \[0, 1\], got values in \[-3.1",
        ),
        (lambda: pr.bernoulli_log_prob(tensor([math.nan]), 0.0), r"x must lie in \[0, 1\]"),
        (lambda: pr.bernoulli_log_prob(three, four), "shapes do not fit"),
        (lambda: pr.gaussian_kl(three, four), "shapes do not fit"),
        (lambda: pr.entropy(tensor([0.5, 0.6])), r"p must sum to 1, got sums in \[1.1"),
        (lambda: pr.entropy(tensor([1.5, -0.5])), "p must not be negative, got a smallest value of -0.5"),
        (lambda: pr.cross_entropy(tensor([0.5, 0.5]), tensor([0.5, 0.4])), "q must sum to 1"),
        (lambda: pr.kl_divergence(tensor([0.5, 0.5]), tensor([1.0])), "shapes do not fit"),
        (lambda: pr.js_divergence(tensor([0.5, 0.4]), tensor([0.5, 0.5])), "p must sum to 1"),
        (lambda: pr.pinball_loss(three, 1.0), "level must lie strictly between 0 and 1, got 1.0"),
        (lambda: pr.bits_per_dim(-1.0, 0), "dims must be at least 1, got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

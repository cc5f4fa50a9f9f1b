import pytest
import torch

from gm_lab.autoencoders import SparseAutoencoder, bernoulli_kl
from gm_lab.train import fit


def test_the_kl_of_known_rates():
    """A4."""
    rates = torch.tensor([0.2, 0.05, 0.5], dtype=torch.float64)
    expected = torch.tensor([0.0939430, 0.0, 0.4946319], dtype=torch.float64)
    torch.testing.assert_close(bernoulli_kl(0.05, rates), expected, rtol=0, atol=1e-7)


def test_dead_and_saturated_units_cost_much_but_not_infinity():
    rates = torch.tensor([0.0, 1.0], requires_grad=True)
    cost = bernoulli_kl(0.05, rates)
    cost.sum().backward()
    assert (cost > 0.5).all()
    assert cost.isfinite().all()
    assert rates.grad.isfinite().all()


def test_the_kl_penalty_uses_the_mean_of_each_unit_over_the_batch():
    torch.manual_seed(0)
    model, x = SparseAutoencoder((5,), 7, penalty="kl", sparsity=0.1, weight=3.0), torch.randn(40, 5)
    rates = model.encode(x).mean(0)
    assert rates.shape == (7,)
    expected = (0.1 * (0.1 / rates).log() + 0.9 * (0.9 / (1 - rates)).log()).sum()
    torch.testing.assert_close(model.loss(x)["sparsity"], 3.0 * expected)
    with torch.no_grad():  # every unit is on at the wanted rate for every example: nothing to pay
        model.encoder[0].weight.zero_()
        model.encoder[0].bias.fill_(torch.tensor(0.1).logit())
    assert model.loss(x)["sparsity"].item() == pytest.approx(0, abs=1e-6)


def test_the_l1_penalty_is_a_mean_of_sums_of_the_code():
    model, x = SparseAutoencoder((5,), 7, penalty="l1", weight=0.5), torch.randn(40, 5)
    code = model.encode(x)
    assert code.min() == 0
    torch.testing.assert_close(model.loss(x)["sparsity"], 0.5 * code.sum(1).mean())


def test_training_reaches_the_wanted_rate():
    torch.manual_seed(0)
    x = torch.randn(256, 5)
    model = SparseAutoencoder((5,), 10, penalty="kl", sparsity=0.1, weight=100.0)
    fit(model, x, 150, batch_size=256, lr=0.05)
    torch.testing.assert_close(model.encode(x).mean(0), torch.full((10,), 0.1), atol=0.02, rtol=0)


def test_a_heavier_l1_penalty_leaves_fewer_active_units():
    x = torch.randn(256, 5, generator=torch.Generator().manual_seed(0))
    active = []
    for weight in (0.0, 0.5):
        torch.manual_seed(0)
        model = SparseAutoencoder((5,), 20, penalty="l1", weight=weight)
        fit(model, x, 120, batch_size=256, lr=0.03)
        active.append((model.encode(x) > 0).float().mean().item())
    assert active[0] > 1.5 * active[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"penalty": "l2"}, "penalty must be 'l1' or 'kl', got 'l2'"),
        ({"sparsity": 0.0}, "sparsity must lie strictly between 0 and 1, got 0.0"),
        ({"sparsity": 1.0}, "sparsity must lie strictly between 0 and 1, got 1.0"),
        ({"weight": -1.0}, "weight must be a number from 0 up, got -1.0"),
        ({"code_dim": 0}, "code_dim must be a positive integer, got 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SparseAutoencoder(**{"shape": (3,), "code_dim": 2} | arguments)


def test_bad_rates_are_refused():
    with pytest.raises(ValueError, match=r"target must lie in \[0, 1\], got 1.2"):
        bernoulli_kl(1.2, torch.tensor([0.5]))
    with pytest.raises(ValueError, match=r"rates must lie in \[0, 1\], got values in \[-0.5, 0.5\]"):
        bernoulli_kl(0.1, torch.tensor([0.5, -0.5]))

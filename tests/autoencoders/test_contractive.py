import pytest
import torch

from gm_lab.autoencoders import ContractiveAutoencoder
from gm_lab.train import fit


def model_and_data():
    torch.manual_seed(0)
    model = ContractiveAutoencoder((1, 2, 3), 9, weight=0.7).double()
    with torch.no_grad():
        model.encoder[0].weight.mul_(4)  # into the curved part of the sigmoid
    return model, torch.randn(11, 1, 2, 3, dtype=torch.float64)


def autograd_jacobian(model, x):
    """∂h/∂x of every example by autograd, (batch, code_dim, dims)."""
    one_by_one = [torch.autograd.functional.jacobian(lambda x: model.encode(x)[0], one[None]) for one in x]
    return torch.stack(one_by_one).flatten(2)


def test_the_jacobian_and_its_norm_are_those_of_autograd():
    """A3."""
    model, x = model_and_data()
    expected = autograd_jacobian(model, x)
    assert expected.shape == (11, 9, 6)
    torch.testing.assert_close(model.jacobian(x), expected, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(model.contraction(x), expected.square().sum((1, 2)), rtol=1e-12, atol=0)


def test_the_loss_has_weight_times_the_mean_penalty():
    model, x = model_and_data()
    expected = 0.7 * autograd_jacobian(model, x).square().sum((1, 2)).mean()
    torch.testing.assert_close(model.loss(x)["contraction"], expected, rtol=1e-12, atol=0)


def test_the_decoder_has_the_transposed_weights_of_the_encoder():
    model, _ = model_and_data()
    rows = model.decode(torch.eye(9, dtype=torch.float64)).flatten(1) - model.decoder_bias
    torch.testing.assert_close(rows, model.encoder[0].weight)
    assert sum(parameter.numel() for parameter in model.parameters()) == 9 * 6 + 9 + 6


def test_a_heavier_penalty_contracts_more():
    x = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    contractions = []
    for weight in (0.0, 20.0):
        torch.manual_seed(0)
        model = ContractiveAutoencoder((4,), 8, weight)
        fit(model, x, 120, batch_size=256, lr=0.03)
        contractions.append(model.contraction(x).mean().item())
    assert contractions[0] > 2 * contractions[1]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"weight must be a number from 0 up, got -1\.0"):
        ContractiveAutoencoder((3,), 2, weight=-1.0)
    with pytest.raises(ValueError, match="code_dim must be a positive integer, got 0"):
        ContractiveAutoencoder((3,), 0)
    for method in ("jacobian", "contraction"):
        with pytest.raises(ValueError, match=r"x must have shape \(batch, 3\), got \(5, 4\)"):
            getattr(ContractiveAutoencoder((3,), 2), method)(torch.zeros(5, 4))

import math

import pytest
import torch

from gm_lab.autoencoders import RecurrentAutoencoder
from gm_lab.train import fit

every_cell = pytest.mark.parametrize("cell", ["lstm", "gru"])


@every_cell
def test_shapes_and_terms(cell):
    model, x = RecurrentAutoencoder(2, 3, hidden_dim=8, cell=cell), torch.randn(5, 7, 2)
    assert model.encode(x).shape == (5, 3)
    assert model.decode(model.encode(x), 7).shape == model.reconstruct(x).shape == x.shape
    assert model.decode(model.encode(x), 11).shape == (5, 11, 2)
    torch.testing.assert_close(model.error(x), (x - model.reconstruct(x)).square().sum((1, 2)))
    terms = model.loss(x)
    assert set(terms) == {"loss", "reconstruction"}
    torch.testing.assert_close(terms["loss"], model.error(x).mean())
    terms["loss"].backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


@every_cell
def test_the_code_sees_every_time_and_only_its_own_sequence(cell):
    torch.manual_seed(0)
    model, x = RecurrentAutoencoder(2, 3, 8, cell), torch.randn(5, 7, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(model.encode(x)[1].sum(), x)
    assert (gradient[1] != 0).all()
    assert (gradient[[0, 2, 3, 4]] == 0).all()


@every_cell
def test_the_decoder_sees_the_sequence_only_through_the_code(cell):
    torch.manual_seed(0)
    model, x = RecurrentAutoencoder(2, 3, 8, cell), torch.randn(5, 7, 2, requires_grad=True)
    encode = model.encode
    model.encode = lambda x: encode(x).detach()  # cut the one way
    output = x - (x - model.decode(model.encode(x), 7))
    (gradient,) = torch.autograd.grad(output.sum(), x)
    assert (gradient == 0).all()
    # With the code fixed, the error's only dependence on x is the target: its gradient is 2 (x - output).
    (gradient,) = torch.autograd.grad(model.error(x).sum(), x)
    torch.testing.assert_close(gradient, 2 * (x - model.reconstruct(x)).detach())


@every_cell
def test_the_code_steers_every_output(cell):
    torch.manual_seed(0)
    model, code = RecurrentAutoencoder(2, 3, 8, cell), torch.randn(5, 3, requires_grad=True)
    for time in range(7):
        (gradient,) = torch.autograd.grad(model.decode(code, 7)[:, time].sum(), code)
        assert (gradient != 0).all()


@every_cell
def test_it_is_the_cell_that_was_asked_for(cell):
    """An LSTM has four gates' worth of weights, a GRU three."""
    weights = RecurrentAutoencoder(2, 3, 8, cell).encoder.weight_ih_l0
    assert weights.shape == ({"lstm": 4, "gru": 3}[cell] * 8, 2)


@every_cell
def test_training_learns_sine_waves_of_unknown_phase(cell):
    torch.manual_seed(0)
    phase = 2 * math.pi * torch.rand(128, 1)
    x = torch.sin(torch.arange(12) * 0.6 + phase)[..., None]
    model = RecurrentAutoencoder(1, 2, 16, cell)
    fit(model, x, 200, lr=0.02, decay=True)
    assert model.error(x).mean() < 0.25 * x.square().sum((1, 2)).mean()


def test_weights_survive_storage():
    model, copy, x = RecurrentAutoencoder(2, 3), RecurrentAutoencoder(2, 3), torch.randn(5, 7, 2)
    copy.load_state_dict(model.state_dict())
    assert torch.equal(copy.reconstruct(x), model.reconstruct(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "rnn"}, "cell must be 'lstm' or 'gru', got 'rnn'"),
        ({"features": 0}, "features must be a positive integer, got 0"),
        ({"code_dim": 0}, "code_dim must be a positive integer, got 0"),
        ({"hidden_dim": 0}, "hidden_dim must be a positive integer, got 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RecurrentAutoencoder(**{"features": 2, "code_dim": 3} | arguments)


@pytest.mark.parametrize("method", ["encode", "reconstruct", "error", "loss"])
@pytest.mark.parametrize("shape", [(5, 0, 2), (0, 7, 2), (5, 7, 3), (7, 2)])
def test_bad_sequences_are_refused(method, shape):
    with pytest.raises(ValueError, match=r"x must have shape \(batch, time, 2\) with batch"):
        getattr(RecurrentAutoencoder(2, 3), method)(torch.zeros(shape))


def test_bad_codes_and_lengths_are_refused():
    model = RecurrentAutoencoder(2, 3)
    with pytest.raises(ValueError, match=r"code must have shape \(batch, 3\), got \(5, 4\)"):
        model.decode(torch.zeros(5, 4), 7)
    with pytest.raises(ValueError, match="length must be a positive integer, got 0"):
        model.decode(torch.zeros(5, 3), 0)

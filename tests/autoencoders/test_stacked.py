import copy

import pytest
import torch

from gm_lab.autoencoders import StackedAutoencoder
from gm_lab.autoencoders import stacked as stacked_module
from gm_lab.train import fit

SIZES = (8, 6, 3)


def data(n=200):
    return torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def linear_maps(model):
    """The (encoder, decoder) weights of each layer, as copies."""
    up = [module.weight.detach().clone() for module in model.encoder[::2]]
    down = [module.weight.detach().clone() for module in model.decoder[::2]]
    return list(zip(up, reversed(down), strict=True))


def test_layers_have_the_sizes_and_share_the_weights():
    model = StackedAutoencoder((1, 4, 4), SIZES)
    widths = [16, *SIZES]
    for k in range(3):
        layer = model.layer(k)
        assert layer.encoder[0] is model.encoder[2 * k]
        assert layer.decoder[0] is model.decoder[2 * (2 - k)]
        x = torch.rand(5, widths[k])
        assert layer.encode(x).shape == (5, widths[k + 1])
        assert layer.reconstruct(x).shape == (5, widths[k])


def test_the_layers_stacked_are_the_whole():
    model, x = StackedAutoencoder((1, 4, 4), SIZES), data()
    code = x.flatten(1)
    for k in range(3):
        code = model.layer(k).encode(code)
    torch.testing.assert_close(code, model.encode(x))
    for k in reversed(range(3)):
        code = model.layer(k).decode(code)
    torch.testing.assert_close(code.reshape(x.shape), model.reconstruct(x))


def test_pretraining_trains_each_layer_alone_on_the_codes_below(monkeypatch):
    torch.manual_seed(0)
    model, x, calls = StackedAutoencoder((1, 4, 4), SIZES), data(), []

    def watched_fit(layer, codes, *arguments):
        before = linear_maps(model)
        history = fit(layer, codes, *arguments)
        after = linear_maps(model)
        changed = [
            tuple(not torch.equal(old, new) for old, new in zip(*pair, strict=True))
            for pair in zip(before, after, strict=True)
        ]
        calls.append((codes, changed, copy.deepcopy(model)))
        return history

    monkeypatch.setattr(stacked_module, "fit", watched_fit)
    histories = model.pretrain(x, 20, batch_size=32, lr=0.01)
    assert [len(history["loss"]) for history in histories] == [20, 20, 20]
    untouched, trained = (False, False), (True, True)
    for k, (codes, changed, snapshot) in enumerate(calls):
        assert changed == [trained if layer == k else untouched for layer in range(3)]
        assert not codes.requires_grad
        # The layers below are final by now, so their codes can be recomputed.
        expected = snapshot.encoder[: 2 * k](x.flatten(1)) if k else x.flatten(1)
        torch.testing.assert_close(codes, expected)


def test_pretraining_lowers_the_error_of_the_whole_and_fine_tuning_trains_all_layers():
    torch.manual_seed(0)
    x = data(4).repeat(16, 1, 1, 1)
    model = StackedAutoencoder((1, 4, 4), SIZES)
    start = model.error(x).mean()
    model.pretrain(x, 80, lr=0.02)
    pretrained, weights = model.error(x).mean(), linear_maps(model)
    fit(model, x, 60, lr=0.01)
    assert model.error(x).mean() < pretrained < start
    for before, after in zip(weights, linear_maps(model), strict=True):
        assert not torch.equal(before[0], after[0])
        assert not torch.equal(before[1], after[1])


def test_only_the_lowest_layer_has_a_cross_entropy():
    model = StackedAutoencoder((1, 4, 4), SIZES, "cross_entropy")
    assert [model.layer(k).reconstruction for k in range(3)] == ["cross_entropy"] + 2 * ["squared_error"]
    model.pretrain(data(), 3)  # the codes may be negative
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        model.pretrain(3 * data(), 3)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="sizes must hold at least one positive integer, got none"):
        StackedAutoencoder((1, 4, 4), ())
    with pytest.raises(ValueError, match="code_dim must be a positive integer, got 0"):
        StackedAutoencoder((1, 4, 4), (8, 0))
    with pytest.raises(ValueError, match="at least two positive integers"):
        StackedAutoencoder((1, 4, 4), (0, 8))
    model = StackedAutoencoder((1, 4, 4), SIZES)
    with pytest.raises(ValueError, match=r"k must lie in 0\.\.2, got 3"):
        model.layer(3)
    with pytest.raises(ValueError, match=r"x must have shape \(batch, 1, 4, 4\), got \(200, 4, 4\)"):
        model.pretrain(data()[:, 0], 3)

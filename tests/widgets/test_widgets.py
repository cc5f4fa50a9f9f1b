"""The Python side of the widgets: checked traits, and HTML that needs nothing else."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from gm_lab import widgets

SIMPLE = [getattr(widgets, name) for name in widgets.__all__ if name != "LatentPlane"]


def decoder(hidden=16, pixels=64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, hidden), nn.SiLU(), nn.Linear(hidden, pixels), nn.Sigmoid())


def public_state(widget):
    return {
        name: value
        for name, value in widget.get_state().items()
        if not name.startswith("_") and name not in {"layout", "tabbable", "tooltip", "limits"}
    }


@pytest.mark.parametrize("kind", SIMPLE)
def test_state_round_trips(kind):
    first = kind()
    second = kind(**public_state(first))
    assert public_state(second) == public_state(first)
    assert repr(second) == repr(first) == repr(kind())
    assert repr(first).startswith(kind.__name__ + "(")


@pytest.mark.parametrize("kind", SIMPLE)
def test_defaults_pass_their_own_checks_and_are_not_shared(kind):
    first, second = kind(), kind()
    for name, value in public_state(first).items():
        setattr(first, name, value)
        if isinstance(value, list):
            assert getattr(first, name) is not getattr(second, name)


def test_setting_a_trait_from_python_notifies_and_is_what_the_browser_gets():
    widget, seen = widgets.TwoGaussians(), []
    widget.observe(lambda change: seen.append(change["new"]), "mean_p")
    widget.mean_p = np.float32(1.5)
    assert seen == [1.5]
    assert widget.get_state()["mean_p"] == 1.5
    assert widget.get_state()["limits"]["mean_p"] == [-3.5, 3.5]


def test_lists_take_tensors_and_arrays():
    widget = widgets.LikelihoodExplorer(data=torch.tensor([0.5, 1.5], requires_grad=True))
    assert widget.data == [0.5, 1.5]
    widget.data = np.array([1.0, 2.0, 3.0])
    assert widget.data == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (widgets.SmoothedData, {"std": 0}, r"std must lie in \[0.01, 3\], got 0"),
        (widgets.SmoothedData, {"std": float("nan")}, "std must lie in"),
        (widgets.SmoothedData, {"std": None}, "std must be a number, got None"),
        (widgets.SmoothedData, {"train": []}, r"train must hold 1 to 12 numbers, got shape \(0,\)"),
        (
            widgets.SmoothedData,
            {"train": [[0.0, 1.0]]},
            r"1 to 12 numbers, got shape \(1, 2\)",
        ),
        (widgets.SmoothedData, {"held_out": [0.0, 9.0]}, r"held_out must lie in \[-3.6, 3.6\]"),
        (widgets.SmoothedData, {"train": ["a"]}, "train must hold numbers"),
        (widgets.GaussianContours, {"correlation": 1.0}, "correlation must lie in"),
        (widgets.GaussianContours, {"mean": [0.0]}, "mean must hold 2 numbers"),
        (widgets.TwoGaussians, {"std_q": -1}, "std_q must lie in"),
        (widgets.TwoGaussians, {"direction": "up"}, "direction must be one of forward, reverse, got 'up'"),
        (widgets.MixtureFit, {"separation": 7}, "separation must lie in"),
        (widgets.LikelihoodExplorer, {"data": [1.0]}, "data must hold 2 to 12 numbers"),
        (widgets.Bits, {"p": [0.5, 0.2, 0.1, 0.1]}, "p must sum to 1, got a sum of 0.9"),
        (widgets.Bits, {"q": [1.0, 0.0, 0.0, 0.0]}, "q must lie in"),
        (widgets.Bits, {"symbols": ["A"]}, "symbols must be four strings"),
        (widgets.ElboGap, {"decoder": "cubic"}, "decoder must be one of linear, quadratic"),
    ],
)
def test_bad_values_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)
    widget, (name, value) = kind(), *arguments.items()
    before = getattr(widget, name)
    with pytest.raises(ValueError, match=message):
        setattr(widget, name, value)
    assert getattr(widget, name) == before


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (decoder(), {"image_shape": (7, 8)}, "decoder must return 56 pixels for this image_shape, got 64"),
        (decoder(), {"image_shape": (64, 64)}, "image_shape must be at most"),
        (decoder(), {"points": [[0.0, 1.0, 2.0]]}, "points must be finite, of shape"),
        (decoder(), {"points": [[0.0, float("nan")]]}, "points must be finite"),
        (decoder(), {"points": np.zeros((2001, 2))}, "n ≤ 2000"),
        (
            decoder(),
            {"points": [[0.0, 1.0]], "labels": [1, 2]},
            "labels must be as many as points",
        ),
        (decoder(), {"z": [9.0, 0.0]}, r"z must lie in \[-3, 3\]"),
        (decoder(), {"extent": 0}, "extent must lie in"),
        (nn.Sequential(nn.Linear(3, 64)), {}, "expected a Linear with 2 inputs, got Linear"),
        (nn.Sequential(nn.Linear(2, 64), nn.GELU()), {}, "decoder may hold Linear, ReLU.*, got GELU"),
        (nn.Sequential(nn.ReLU()), {}, "decoder must return 64 pixels"),
    ],
)
def test_latent_plane_refuses_what_it_cannot_show(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        widgets.LatentPlane(network, **arguments)


def test_latent_plane_refuses_weights_beyond_float16():
    network = decoder()
    with torch.no_grad():
        network[0].weight[0, 0] = 1e6
    with pytest.raises(ValueError, match="not finite in float16"):
        widgets.LatentPlane(network)


def test_latent_plane_packs_weights_points_and_labels():
    network = decoder(hidden=3)
    points, labels = torch.tensor([[0.5, -4.2], [1.0, 2.0]]), torch.tensor([7, 3])
    widget = widgets.LatentPlane(network, points, labels)
    assert widget.layers == [[2, 3], "silu", [3, 64], "sigmoid"]
    unpacked = torch.tensor(np.frombuffer(widget.weights, "<f2").astype("f4"))
    flat = torch.cat([parameter.detach().flatten() for parameter in network.parameters()])
    assert torch.allclose(unpacked, flat, atol=1e-3)
    assert widget.labels == ["7", "3"]
    assert widget.extent == 5  # as far as the points go
    assert widgets.LatentPlane(network, extent=2).get_state()["limits"] == {"z": [-2.0, 2.0]}


def every_widget():
    return [kind() for kind in SIMPLE] + [widgets.LatentPlane(decoder(256), np.ones((500, 2)), range(500))]


@pytest.mark.parametrize("widget", every_widget(), ids=lambda widget: type(widget).__name__)
def test_html_is_small_and_asks_no_other_host(widget):
    data, _ = widget._repr_mimebundle_()
    html = data["text/html"]
    assert len(html.encode()) <= 100_000
    assert not re.search(r"https?:|\bimport\b.*from|fetch\(|<link", html)
    assert html.count("</script") == 2  # the state and the module end where they should
    assert data["text/plain"] == repr(widget)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert widget.html() == html


def test_html_of_28_by_28_images_stays_under_600_kb():
    widget = widgets.LatentPlane(decoder(256, 784), np.ones((2000, 2)), [1] * 2000, image_shape=(28, 28))
    assert len(widget.html().encode()) <= 600_000


def test_state_cannot_break_out_of_its_script():
    html = widgets.Bits(symbols=["</script><b>", "<!--", "&", "'"]).html()
    assert html.count("</script") == 2
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    assert state["symbols"] == ["</script><b>", "<!--", "&", "'"]

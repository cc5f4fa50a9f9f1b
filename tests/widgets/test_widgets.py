"""The Python side of the widgets: checked traits, and HTML that needs nothing else."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from gm_lab import widgets

WITH_DATA = {"BottleneckExplorer", "DenoiserSlider", "LatentPlane"}
SIMPLE = [getattr(widgets, name) for name in widgets.__all__ if name not in WITH_DATA]


def decoder(hidden=16, pixels=64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, hidden), nn.SiLU(), nn.Linear(hidden, pixels), nn.Sigmoid())


def denoiser(hidden=128, pixels=64):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(pixels, hidden), nn.SiLU(), nn.Linear(hidden, pixels))


SIZES = (1, 2, 4, 8, 16, 32)


def images(n=10, side=8):
    return np.random.default_rng(0).random((n, side, side))


def bottleneck_explorer(n=10, side=8, **changes):
    originals = images(n, side)
    reconstructions = {size: originals + 1 / size for size in SIZES}
    pca = {size: originals - 2 / size for size in SIZES}
    arguments = {"originals": originals, "reconstructions": reconstructions, "pca": pca} | changes
    return widgets.BottleneckExplorer(**arguments)


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
        (decoder(), {"other": {"decoder": decoder(pixels=63)}}, "decoder must return 64 pixels"),
        (decoder(), {"other": {"decoder": decoder(), "z": [4, 0]}}, r"other_z must lie in \[-3, 3\]"),
        (decoder(), {"other": {"decoder": decoder(), "name": "VAE"}}, "other may not hold name"),
        (decoder(), {"other": {"decoder": decoder()}, "names": ["a"]}, "names must be two"),
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


def test_latent_plane_holds_a_second_model_with_a_plane_of_its_own():
    other = {"decoder": decoder(5), "points": [[0.5, 6.0]], "labels": ["b"], "z": [4.0, 0.0]}
    widget = widgets.LatentPlane(decoder(), [[1.0, 2.0]], ["a"], other=other, names=("autoencoder", "VAE"))
    assert widget.other_layers == [[2, 5], "silu", [5, 64], "sigmoid"]
    assert (widget.labels, widget.other_labels) == (["a"], ["b"])
    assert widget.limits == {"z": [-3, 3], "other_z": [-7, 7]}
    widget.other_z = [-6, 1]
    assert repr(widget) == "LatentPlane(other_z=[-6.0, 1.0], z=[0.0, 0.0])"
    assert repr(widgets.LatentPlane(decoder())) == "LatentPlane(z=[0.0, 0.0])"


def test_bottleneck_explorer_packs_images_and_errors():
    widget = bottleneck_explorer(originals=images() / 2, size=4, image=3)
    pixels = np.frombuffer(widget.pixels, "u1").reshape(13, 10, 8, 8) / 255
    assert pixels[0] == pytest.approx(images() / 2, abs=0.5 / 255)
    assert pixels[6] == pytest.approx((images() + 1 / 32).clip(0, 1), abs=0.5 / 255 + 1e-9)
    assert repr(widget) == "BottleneckExplorer(image=3, size=4)"
    default = bottleneck_explorer()
    assert default.size == 1
    assert default.errors["reconstructions"] == pytest.approx([64 / size**2 for size in default.sizes])
    assert default.image_errors["pca"][2] == pytest.approx([64 / 4] * 10)
    given = bottleneck_explorer(errors={size: torch.tensor(1 / size) for size in default.sizes})
    assert given.errors["reconstructions"] == pytest.approx([1 / size for size in SIZES], abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"originals": np.ones((8, 8))}, r"originals must be of shape \(n ≤ 20, height ≤ 32"),
        ({"originals": np.ones((21, 8, 8))}, "originals must be of shape"),
        ({"originals": np.ones((10, 8, 9))}, r"reconstructions\[1\] must be of shape \(10, 8, 9\)"),
        ({"originals": np.full((10, 8, 8), np.nan)}, "originals must be finite"),
        ({"reconstructions": {4: images()}}, "2 to 12 code sizes"),
        ({"pca": {1: images(), 3: images()}}, r"pca must have the code sizes \[1, 2, 4, 8, 16, 32\]"),
        ({"errors": {1: 0.5}}, "errors of reconstructions must have the code sizes"),
        (
            {"pca_errors": dict.fromkeys(SIZES, -1.0)},
            "errors of pca must be finite and not negative",
        ),
        ({"size": 3}, r"size must be one of \[1, 2, 4, 8, 16, 32\], got 3"),
        ({"image": 10}, "image must be a whole number from 0 to 9, got 10"),
        ({"image": 0.5}, "image must be a whole number"),
    ],
)
def test_bottleneck_explorer_refuses_what_it_cannot_show(arguments, message):
    with pytest.raises(ValueError, match=message):
        bottleneck_explorer(**arguments)


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        (denoiser(pixels=63), {}, "network: expected a Linear with 64 inputs"),
        (decoder(), {}, "network: expected a Linear with 64 inputs, got Linear"),
        (nn.Sequential(nn.Linear(64, 63)), {}, "network must return 64 pixels"),
        (denoiser(), {"noise": images(9)}, r"noise must be of shape \(10, 8, 8\), got \(9, 8, 8\)"),
        (denoiser(), {"level": 1.5}, r"level must lie in \[0, 1\]"),
        (denoiser(), {"image": 10}, "image must be a whole number from 0 to 9"),
    ],
)
def test_denoiser_slider_refuses_what_it_cannot_show(network, arguments, message):
    with pytest.raises(ValueError, match=message):
        widgets.DenoiserSlider(network, **{"images": images(), "noise": images()} | arguments)


def test_images_may_come_with_a_channel():
    first, second = images(), torch.tensor(images())[:, None]
    shown = [widgets.DenoiserSlider(denoiser(), x, x) for x in (first, second)]
    assert public_state(shown[0]) == public_state(shown[1])


def every_widget():
    points = {"points": np.ones((500, 2)), "labels": range(500)}
    return [kind() for kind in SIMPLE] + [
        bottleneck_explorer(20),
        widgets.DenoiserSlider(denoiser(), images(), images()),
        widgets.LatentPlane(decoder(256), **points),
        widgets.LatentPlane(decoder(64), **points, other={"decoder": decoder(64), **points}),
    ]


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
    assert len(bottleneck_explorer(20, 28).html().encode()) <= 600_000
    widget = widgets.DenoiserSlider(denoiser(96, 784), images(10, 28), images(10, 28))
    assert len(widget.html().encode()) <= 600_000


def test_state_cannot_break_out_of_its_script():
    html = widgets.Bits(symbols=["</script><b>", "<!--", "&", "'"]).html()
    assert html.count("</script") == 2
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', html)[1])
    assert state["symbols"] == ["</script><b>", "<!--", "&", "'"]

"""gm_lab.plots: figures have the content they promise (how they look is for the eye)."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
import torch

from gm_lab import plots
from gm_lab.probability import gaussian_log_prob


@pytest.fixture(autouse=True)
def closed_figures():
    plots.set_style()
    yield
    plt.close("all")


def test_image_grid_puts_every_image_in_its_place():
    images = torch.zeros(5, 1, 4, 4)
    images[3] = 1.0
    ax = plots.image_grid(images, columns=3, labels="abcde", title="five")
    canvas = torch.from_numpy(ax.images[0].get_array().data)
    top = canvas.shape[0] // 2  # image 3 starts the second row
    assert canvas[top : top + 4, :4].eq(1).all()
    assert canvas.sum() == 16
    assert [text.get_text() for text in ax.texts] == list("abcde")
    assert ax.get_title(loc="left") == "five"


def test_image_grid_keeps_colours():
    images = torch.rand(2, 3, 4, 4)
    canvas = torch.from_numpy(plots.image_grid(images).images[0].get_array().data)
    torch.testing.assert_close(canvas[:4, :4], images[0].permute(1, 2, 0))


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (2, 2, 4, 4), (4, 4)])
def test_image_grid_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match=r"images must have shape .* got \("):
        plots.image_grid(torch.zeros(shape))


def test_contours_are_highest_at_the_mean():
    points = plots.grid_points((-2, 2, -1, 3), size=81)
    assert points.shape == (81, 81, 2)
    assert points[0, 0].tolist() == [-2, -1]
    mean = torch.tensor([0.5, 1.0])
    density = gaussian_log_prob(points, mean, 0.0)
    highest = points.reshape(-1, 2)[density.argmax()]
    torch.testing.assert_close(highest, mean, atol=0.03, rtol=0)
    _, ax = plots.figure()
    plots.contours(ax, lambda x: gaussian_log_prob(x, mean, 0.0), (-2, 2, -1, 3))
    assert ax.get_aspect() == 1


def test_history_draws_training_and_validation_curves():
    losses = {"step": [1, 2, 3], "loss": [3.0, 2.0, 1.0], "validation/step": [3], "validation/loss": [1.5]}
    ax = plots.history(losses)
    assert [line.get_label() for line in ax.lines] == ["loss", "validation/loss"]
    assert ax.lines[1].get_xdata().tolist() == [3]


def test_diagram_parts_are_drawn():
    _, ax = plots.diagram(6, 2)
    plots.box(ax, (1, 1), "prior")
    plots.arrow(ax, (2, 1), (4, 1), "z")
    assert len(ax.patches) == 2
    assert {text.get_text() for text in ax.texts} == {"prior", "z"}


def test_colours_can_be_told_apart_in_grey():
    """A printed page: neighbours in the colour cycle differ in lightness or in dash."""
    style = plt.rcParams["axes.prop_cycle"].by_key()
    assert len(set(map(str, style["linestyle"]))) == len(style["color"])

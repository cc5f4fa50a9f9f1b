"""Every figure of the book, from one place: one calm, colour-blind-safe look.

Figures are drawn on white paper and stay readable on a light and on a dark page. Colour is never the only
cue: lines also differ in dash, and areas carry a name.
"""

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from torch import Tensor

# The palette of Okabe and Ito (2008), which people with any colour vision can tell apart, plus two neutrals.
COLORS = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "pink": "#CC79A7",
    "yellow": "#E69F00",
    "sky": "#56B4E9",
    "grey": "#8A8F98",
    "ink": "#2B2F36",
}
DASHES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1)), (0, (1, 1))]


def set_style() -> None:
    """Give every figure from here on the look of the book."""
    names = ["blue", "orange", "green", "pink", "yellow", "sky"]
    cycle = plt.cycler(color=[COLORS[name] for name in names]) + plt.cycler(linestyle=DASHES)
    plt.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": COLORS["grey"],
            "axes.grid": True,
            "axes.labelcolor": COLORS["ink"],
            "axes.prop_cycle": cycle,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlelocation": "left",
            "axes.titlesize": 11,
            "figure.constrained_layout.use": True,
            "figure.dpi": 110,
            "figure.facecolor": "white",
            "font.family": "DejaVu Sans",  # ships with Matplotlib, so that every machine draws the same
            "font.size": 10,
            "grid.color": "#E6E8EB",
            "grid.linewidth": 0.8,
            "image.cmap": "gray_r",  # ink on paper: 0 is white, 1 is black
            "image.interpolation": "antialiased",  # nearest would drop rows of pixels at odd scales
            "legend.frameon": False,
            "lines.linewidth": 2.0,
            "text.color": COLORS["ink"],
            "xtick.color": COLORS["ink"],
            "ytick.color": COLORS["ink"],
        }
    )


def figure(nrows: int = 1, ncols: int = 1, width: float = 7.0, height: float | None = None, **options):
    """A figure as wide as the text of a page, and its axes, as `plt.subplots` gives them.

    Args:
        nrows, ncols: number of panels.
        width, height: inches; by default each panel is 4:3, at most 3.2 inches high.
        options: passed on to `plt.subplots`.
    """
    if height is None:
        height = nrows * min(3.2, 0.75 * width / ncols)
    return plt.subplots(nrows, ncols, figsize=(width, height), **options)


def image_grid(
    images: Tensor, columns: int = 10, ax: Axes | None = None, labels=None, title: str | None = None
) -> Axes:
    """Draw images side by side in reading order, grey ones as ink on paper.

    Args:
        images: `(n, channels, height, width)` in [0, 1], 1 or 3 channels.
        columns: images in a row.
        ax: where to draw; by default a figure of its own.
        labels: n short texts, drawn under the images.
        title: drawn above.

    Raises:
        ValueError: another shape, or no image.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3) or len(images) == 0:
        raise ValueError(f"images must have shape (n, 1 or 3, height, width), got {tuple(images.shape)}")
    n, channels, height, width = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    pad = max(1, height // 16)
    extra = 0 if labels is None else max(2, round(0.35 * height))  # room for the text under an image
    cell_height, cell_width = height + pad + extra, width + pad
    paper = 0.0 if channels == 1 else 1.0  # gray_r draws 0 as white
    canvas = torch.full((rows * cell_height, columns * cell_width, channels), paper)
    for i, image in enumerate(images.detach().cpu().float().clamp(0, 1)):
        top, left = i // columns * cell_height, i % columns * cell_width
        canvas[top : top + height, left : left + width] = image.permute(1, 2, 0)
    if ax is None:
        scale = 7.0 / max(10, columns)
        heading = 0.3 if title else 0.0
        _, ax = plt.subplots(figsize=(scale * columns, scale * rows * cell_height / cell_width + heading))
    ax.imshow(canvas.squeeze(-1).numpy(), vmin=0, vmax=1)
    for i, label in enumerate([] if labels is None else labels):
        x, y = i % columns * cell_width + width / 2, i // columns * cell_height + height + extra / 2
        ax.text(x, y, str(label), ha="center", va="center", fontsize=8)
    ax.set_axis_off()
    if title:
        ax.set_title(title)
    return ax


def grid_points(extent: tuple[float, float, float, float], size: int = 120) -> Tensor:
    """The points of a square grid over extent = (left, right, bottom, top): `(size, size, 2)`."""
    left, right, bottom, top = extent
    x, y = torch.meshgrid(torch.linspace(left, right, size), torch.linspace(bottom, top, size), indexing="xy")
    return torch.stack([x, y], dim=-1)


def contours(
    ax: Axes, log_density, extent, levels: int = 7, color: str = "blue", filled: bool = False
) -> None:
    """Draw contours of a density in the plane.

    Args:
        ax: where to draw.
        log_density: a function from points `(n, 2)` to log-densities `(n,)`.
        extent: (left, right, bottom, top).
        levels: how many contours.
        color: a name in COLORS.
        filled: fill the areas between them.
    """
    points = grid_points(extent)
    with torch.no_grad():
        density = log_density(points.reshape(-1, 2)).exp().reshape(points.shape[:2])
    x, y = points[..., 0], points[..., 1]
    if filled:
        ax.contourf(x, y, density, levels=levels, cmap=_paper_to(color), zorder=0)
    else:
        ax.contour(x, y, density, levels=levels, colors=COLORS[color], linewidths=1.2, linestyles="-")
    ax.set_aspect("equal")


def history(losses: dict, keys: list[str] | None = None, ax: Axes | None = None) -> Axes:
    """Draw the curves of a training history.

    Args:
        losses: what `train.fit` returns: "step" and a list for each term; "validation/TERM" belongs to
            "validation/step".
        keys: the curves to draw; by default all of them.
        ax: where to draw; by default a figure of its own.
    """
    if ax is None:
        _, ax = figure(height=2.8)
    names = keys or [key for key in losses if not key.endswith("step")]
    for name in names:
        steps = losses["validation/step" if name.startswith("validation/") else "step"]
        ax.plot(steps, losses[name], label=name, linewidth=1.5)
    ax.set(xlabel="training step", ylabel="nats per example")
    ax.legend()
    return ax


def box(
    ax: Axes, center: tuple[float, float], text: str, width=2.0, height=0.8, color="blue", **options
) -> None:
    """Draw a box of a diagram around a text, in data coordinates. color: a name in COLORS."""
    x, y = center
    style = dict(boxstyle="round,pad=0.02,rounding_size=0.12", linewidth=1.4)
    corner = (x - width / 2, y - height / 2)
    ax.add_patch(
        FancyBboxPatch(corner, width, height, facecolor=_tint(color), edgecolor=COLORS[color], **style)
    )
    ax.text(x, y, text, ha="center", va="center", **options)


def arrow(ax: Axes, start, end, text: str | None = None, color: str = "ink", dashed: bool = False) -> None:
    """Draw an arrow of a diagram from start to end, in data coordinates, with a text above its middle."""
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=14,
            linewidth=1.5,
            linestyle="--" if dashed else "-",
            color=COLORS[color],
            shrinkA=2,
            shrinkB=2,
        )
    )
    if text:
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        ax.annotate(text, middle, xytext=(0, 5), textcoords="offset points", ha="center", va="bottom")


def diagram(width: float, height: float, scale: float = 0.7) -> tuple[Figure, Axes]:
    """An empty canvas for boxes and arrows, `width` × `height` units large and without axes."""
    fig, ax = plt.subplots(figsize=(scale * width, scale * height))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_aspect("equal")
    ax.set_axis_off()
    return fig, ax


def _tint(color: str, strength: float = 0.13) -> tuple[float, ...]:
    """A colour of the palette, mixed with white."""
    return tuple(1 - strength * (1 - channel) for channel in to_rgb(COLORS[color]))


def _paper_to(color: str):
    return LinearSegmentedColormap.from_list("paper", ["white", COLORS[color]])

"""What every widget shares: checked traits, and an HTML representation that lives without a kernel."""

import base64
import json
from pathlib import Path

import anywidget
import numpy as np
import traitlets

FOLDER = Path(__file__).parent


def source(*names):
    """The front-end module of one widget: the shared runtime, then the files `names`, its own one last.

    Lines that only hold a comment stay behind: every widget on a page carries this text.
    """
    lines = "".join((FOLDER / name).read_text("utf-8") for name in ("runtime.js", *names)).splitlines(True)
    return "".join(line for line in lines if not line.lstrip().startswith("//"))


class Number(traitlets.TraitType):
    """A finite number in [low, high], synchronized with the browser, which gets the limits too."""

    def __init__(self, default, low, high):
        super().__init__(float(default))
        self.low, self.high = float(low), float(high)
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{self.name} must be a number, got {value!r}") from None
        if not self.low <= number <= self.high:
            raise ValueError(f"{self.name} must lie in [{self.low:g}, {self.high:g}], got {number:g}")
        return number


class Numbers(Number):
    """A list of `shortest` to `longest` finite numbers, each in [low, high]; takes arrays and tensors."""

    def __init__(self, default, low, high, shortest, longest=None):
        traitlets.TraitType.__init__(self, [float(value) for value in default])
        self.low, self.high = float(low), float(high)
        self.shortest, self.longest = shortest, longest or shortest
        self.tag(sync=True)

    def make_dynamic_default(self):  # each widget gets a list of its own
        return list(self.default_value)

    def validate(self, obj, value):
        numbers = as_array(self.name, value)
        if numbers.ndim != 1 or not self.shortest <= len(numbers) <= self.longest:
            count = f"{self.shortest}" + (f" to {self.longest}" if self.longest > self.shortest else "")
            raise ValueError(f"{self.name} must hold {count} numbers, got shape {numbers.shape}")
        if not ((numbers >= self.low) & (numbers <= self.high)).all():
            raise ValueError(f"{self.name} must lie in [{self.low:g}, {self.high:g}], got {numbers.tolist()}")
        return numbers.tolist()


class Choice(traitlets.TraitType):
    """One of a few words, synchronized with the browser; the first is the default."""

    def __init__(self, *options):
        super().__init__(options[0])
        self.options = options
        self.tag(sync=True)

    def validate(self, obj, value):
        if value not in self.options:
            raise ValueError(f"{self.name} must be one of {', '.join(self.options)}, got {value!r}")
        return value


def as_array(name, value):
    """`value` (numbers, an array or a tensor on any device) as a float64 array, or a ValueError."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers, got {value!r}") from None


class BookWidget(anywidget.AnyWidget):
    """An ipywidget that is also a figure: `text/html` carries its code and state and needs no kernel.

    A subclass declares its state as `Number`, `Numbers` and `Choice` traits, names its front-end module in
    `_esm = source("name.js")`, and says in `heights` how many pixels to reserve on wide and narrow pages.
    """

    _css = (FOLDER / "runtime.css").read_text("utf-8")
    heights = (0, 0)
    limits = traitlets.Dict().tag(sync=True)

    @traitlets.default("limits")
    def _default_limits(self):
        numbers = {name: trait for name, trait in self.traits().items() if isinstance(trait, Number)}
        return {name: [trait.low, trait.high] for name, trait in numbers.items()}

    def __repr__(self):
        choices = [name for name, trait in self.traits().items() if isinstance(trait, Choice)]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in sorted([*self.limits, *choices]))
        return f"{type(self).__name__}({values})"

    def _repr_mimebundle_(self, **options):
        data, metadata = super()._repr_mimebundle_(**options)
        return {**data, "text/plain": repr(self), "text/html": self.html()}, metadata

    def html(self):
        """The widget as HTML that works on any page, from a server or a file, with no other file."""
        private = {"_esm", "_css", "_anywidget_id", "layout", "tabbable", "tooltip"}
        state = {
            name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
            for name, value in self.get_state().items()
            if name not in private and not name.startswith(("_model", "_view", "_dom"))
        }
        # "<" never appears in the JSON, so no string can end the script element early.
        text = json.dumps(state, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
        name, (wide, narrow) = type(self).__name__, self.heights
        return (
            f"<style>{self._css}</style>\n"
            f'<div class="gm-widget" data-widget="{name}" style="--gm-wide:{wide}px;--gm-narrow:{narrow}px">'
            f'<script type="application/json">{text}</script>'
            "<noscript>This figure needs JavaScript.</noscript></div>\n"
            f'<script type="module">{self._esm}\nmountStatic("{name}", render);</script>'
        )

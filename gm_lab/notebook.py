"""What only notebooks need: a seeded start, source code on show, measured values as prose, known answers."""

import inspect
import math


def setup(seed: int = 0) -> None:
    """Start a chapter: seed Python, NumPy and PyTorch, and give figures the look of the book."""
    import random

    import numpy as np
    import torch

    from gm_lab import plots

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 -- libraries that use NumPy's global state must repeat, too
    torch.manual_seed(seed)
    torch.set_printoptions(precision=4, sci_mode=False)
    plots.set_style()


def show(item) -> None:
    """Print the source of a function, method, class or module, highlighted in a notebook.

    Raises TypeError for something that has no Python source.
    """
    from IPython.display import Code, display

    display(Code(inspect.cleandoc("\n" + inspect.getsource(item)), language="python"))


def say(text: str) -> None:
    """Say a measured value as a sentence of the page: `say(f"The gap is {gap:.3f} nats.")`.

    The text is Markdown. Its plain form is the same text, so that nbval can compare it.
    """
    from IPython.display import display

    display({"text/markdown": text, "text/plain": text}, raw=True)


def check(label: str, value, expected: float, tolerance: float = 1e-4) -> None:
    """Hold a computed value against the exact one, and print both.

    Args:
        label: what is computed.
        value: a number, or a tensor with one element.
        expected: the exact answer.
        tolerance: the largest allowed difference, in the units of the value.

    Raises:
        AssertionError: a larger difference, or a value that is not a number.
    """
    value, expected = (float(x.detach() if hasattr(x, "detach") else x) for x in (value, expected))
    # Not `abs(...) > tolerance`: a NaN must fail, too.
    if not abs(value - expected) <= tolerance:
        raise AssertionError(f"{label}: got {value:.6g}, but the exact answer is {expected:.6g}")
    digits = max(0, min(6, round(-math.log10(tolerance))))
    shown, exact = (round(number, digits) + 0.0 for number in (value, expected))  # + 0.0 turns -0.0 into 0.0
    print(f"{label}: {shown:.{digits}f}  (exact {exact:.{digits}f})")

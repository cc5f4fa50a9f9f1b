"""What the check cells of an assignment call: `check` teaches, `record` only says what came out.

Both take the answer as a function without arguments, `lambda: my_function(x)`, so that nothing an answer
prints, warns or draws on its way reaches the output that is compared.
"""

import math

MARK = {"gm_lab": "check"}  # the metadata by which a grader knows an output of these two functions
LONGEST = 12  # numbers shown one by one


class WrongAnswer(AssertionError):
    """An answer that is not what a check expected; shown without a traceback, which would lead nowhere."""

    def _render_traceback_(self):
        return str(self).splitlines()


def check(label: str, answer, expected, tolerance: float = 1e-4, hint: str = "") -> None:
    """Say that an answer is right, or raise and say what was expected, what came, and how to go on.

    Args:
        label: what is computed, in the words of the question.
        answer: a function without arguments; returns a number, truth value, text, tensor or array, or a list
        of them.
        expected: the right answer.
        tolerance: how far a number may be off, as a difference or relative to the expected one, whichever is
        larger.
        hint: what to look at when the answer is wrong.

    Raises:
        WrongAnswer: a wrong value, shape or kind. What the answer itself raises is passed on.
    """
    expected, got = plain(expected), plain(_quietly(answer))
    complaint = _difference(expected, got, tolerance)
    if complaint:
        lines = [f"{label}: not right yet", f"  expected: {complaint[0]}", f"  got:      {complaint[1]}"]
        raise WrongAnswer("\n".join([*lines, f"  hint:     {hint}"] if hint else lines))
    _display(f"right: {label}")


def record(label: str, answer) -> None:
    """Print the value of an answer, for a comparison that takes place elsewhere: what hidden checks do.

    Args:
        label: what is computed.
        answer: a function without arguments, as for `check`.
    """
    value = plain(_quietly(answer))
    _display(f"{label}: {shape(value)} {' '.join(map(_text, flat(value)))}")


def plain(value):
    """Return a value as numbers, truth values, texts and lists of them; raise TypeError for anything else."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if type(value) in (list, tuple):
        return [plain(item) for item in value]
    if value is None or type(value) in (bool, int, float, str):
        return value
    raise TypeError(f"expected a number, a tensor, a text or a list of them, got {type(value).__name__}")


def shape(value) -> tuple:
    """Return the shape of nested lists, as far as all lists on a level have the same length."""
    if not isinstance(value, list):
        return ()
    inner = {shape(item) for item in value}
    return (len(value), *(inner.pop() if len(inner) == 1 else ()))


def flat(value) -> list:
    """Return what stands in nested lists, in order."""
    return [item for part in value for item in flat(part)] if isinstance(value, list) else [value]


def same(expected, got, tolerance: float) -> bool:
    """Compare two single values; a number must be close, anything else equal and of the same kind."""
    if type(expected) in (int, float) and type(got) in (int, float):
        return near(expected, got, tolerance)
    return type(expected) is type(got) and expected == got


def near(expected: float, got: float, tolerance: float) -> bool:
    """Tell whether a number is off by no more than the tolerance, absolute or relative to the expected one.

    A number that is not finite is near itself only, and NaN is near nothing.
    """
    if expected == got or not math.isfinite(expected):
        return expected == got
    try:
        return abs(got - expected) <= tolerance * max(1, abs(expected))
    except OverflowError:  # a whole number beyond all floating-point ones
        return False


def _quietly(answer):
    """Return what `answer` returns, and swallow what it prints, warns and draws."""
    from IPython.utils.capture import capture_output

    if not callable(answer):
        raise TypeError("pass the answer as a function: lambda: …")
    with capture_output():
        return answer()


def _difference(expected, got, tolerance):
    """Return (expected, got) as texts that show the difference, or None if there is none."""
    if _structure(expected) != _structure(got):
        return f"{_summary(expected)}, shape {shape(expected)}", f"{_summary(got)}, shape {shape(got)}"
    pairs = list(zip(flat(expected), flat(got), strict=True))
    wrong = [i for i, pair in enumerate(pairs) if not same(*pair, tolerance)]
    if not wrong:
        return None
    if len(pairs) <= LONGEST:
        return _summary(expected), _summary(got)
    place = f"at position {wrong[0]} of {len(pairs)} numbers ({len(wrong)} are wrong)"
    return f"{_shown(pairs[wrong[0]][0])} {place}", _shown(pairs[wrong[0]][1])


def _structure(value):
    """Return nested lists without what stands in them: equal for values that can be compared one by one."""
    return [_structure(item) for item in value] if isinstance(value, list) else None


def _summary(value):
    items = flat(value)
    text = ", ".join(map(_shown, items[:LONGEST])) + (", …" if len(items) > LONGEST else "")
    return f"[{text}]" if isinstance(value, list) else text


def _shown(item):
    return repr(item) if isinstance(item, str) else _text(item)  # '1' is not 1


def _text(item):
    try:
        return f"{item:.6g}" if type(item) in (int, float) else str(item)
    except OverflowError:
        return "a number too large for a float"


def _display(text):
    from IPython.display import display

    display({"text/plain": text}, metadata=MARK, raw=True)

"""gm_lab.grading.checks: right and wrong answers, messages, and what never reaches the output."""

import math
import sys
import warnings

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output
from traitlets.config import Config

from gm_lab.grading.checks import WrongAnswer, check, flat, plain, record, shape

NAN, INF = math.nan, math.inf


@pytest.fixture
def shell():
    """An IPython shell, so that displays are displays and not prints."""
    yield InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    InteractiveShell.clear_instance()


def shown(run):
    """What `run` leaves in the output of a cell: (stdout, stderr, [(data, metadata) of displays])."""
    with capture_output() as captured:
        run()
    return captured.stdout, captured.stderr, [(output.data, output.metadata) for output in captured.outputs]


def recorded(answer):
    """The line that `record` displays."""
    ((data, _),) = shown(lambda: record("x", answer))[2]
    return data["text/plain"]


def complaint(answer, expected, **options):
    """The lines of the message about a wrong answer."""
    with pytest.raises(WrongAnswer) as caught:
        check("KL", lambda: answer, expected, **options)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1.3068528, 1.3068528),
        (2, 2.0),
        (torch.tensor(2.5), 2.5),
        (torch.tensor(2.5, requires_grad=True), 2.5),
        (np.float32(2.5), 2.5),
        (np.array(2.5), torch.tensor(2.5)),
        (torch.tensor([0.1], dtype=torch.float32), torch.tensor([0.1], dtype=torch.float64)),
        (torch.tensor([1.5, 2.0], dtype=torch.bfloat16), [1.5, 2]),
        (torch.tensor([[1, 2], [3, 4]]), [[1.0, 2.0], [3.0, 4.0]]),
        (np.array([[1.0, 2.0]]), [(1, 2)]),
        ((1, torch.tensor([2.0, 3.0])), [1, [2, 3]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        (torch.zeros(0), []),
        (torch.zeros(2, 0), [[], []]),
        ([], ()),
        (True, True),
        (np.bool_(False), False),
        (torch.tensor([True, False]), [True, False]),
        ("encoder", "encoder"),
        (np.array(["a", "b"]), ["a", "b"]),
        (None, None),
        ([None, "a", 1, True], [None, "a", 1, True]),
        (INF, INF),
        (torch.tensor([-INF, 0.0]), [-INF, 0]),
    ],
)
def test_a_right_answer_is_called_right(shell, got, expected):
    right = ({"text/plain": "right: KL"}, {"gm_lab": "check"})
    assert shown(lambda: check("KL", lambda: got, expected)) == ("", "", [right])


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (1.31, 1.3068528),
        (-2.0, 2.0),
        (True, 1),
        (1, True),
        (False, 0.0),
        (torch.tensor([True, False]), [1, 0]),
        (torch.tensor([1, 0]), [True, False]),
        ("2", 2),
        (2, "2"),
        ("Encoder", "encoder"),
        (None, 0),
        (0, None),
        (None, "None"),
        (None, False),
        (NAN, 1.0),
        (1.0, NAN),
        (torch.tensor([1.0, NAN]), [1, 2]),
        (INF, 1.0),
        (1e308, INF),
        (-INF, INF),
        ([], 0),
        (0, []),
        ([], [0]),
        ([[]], []),
        (torch.zeros(2, 0), torch.zeros(0, 2)),
        (torch.tensor([2.0]), 2.0),
        (2.0, [2.0]),
        (torch.ones(3), [1, 1]),
        (torch.ones(2, 1), [1, 1]),
        (torch.ones(2, 3), torch.ones(3, 2)),
        ([[1, 2], [3]], [[1, 2], [3, 4]]),
        ([[1, 2], 3], [[1, 2], [3, 4]]),
    ],
)
def test_a_wrong_answer_is_refused(shell, got, expected):
    def run():
        with pytest.raises(WrongAnswer, match="KL: not right yet"):
            check("KL", lambda: got, expected)

    assert shown(run) == ("", "", [])


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        ([[1], [2, 3]], [[1, 2], [3]]),
        ([[1], 2], [1, [2]]),
        ([[], [1]], [[1], []]),
        ([1, []], [1, [[]]]),
    ],
)
def test_the_same_numbers_in_lists_of_other_lengths_are_wrong(got, expected):
    with pytest.raises(WrongAnswer):
        check("KL", lambda: got, expected)


@pytest.mark.parametrize("last", [4, 6])
def test_a_long_ragged_list_of_another_length_is_wrong(last):
    with pytest.raises(WrongAnswer):
        check("KL", lambda: [[1] * 10, [1] * last], [[1] * 10, [1] * 5])


def test_a_number_too_large_for_a_float_is_wrong():
    assert complaint(math.factorial(200), 1.0)[0] == "KL: not right yet"


@pytest.mark.parametrize(
    ("got", "expected", "tolerance"),
    [
        (0.00009, 0, 1e-4),  # absolute: below 1
        (-0.5, 0, 0.5),
        (0.3, 0.25, 0.06),
        (1000.09, 1000, 1e-4),  # relative: above 1
        (-1000.09, -1000, 1e-4),
        (10.9, 10, 0.1),
        (9.1, 10, 0.1),
        (2, 2.0, 0),
    ],
)
def test_a_number_may_be_off_by_the_tolerance(got, expected, tolerance):
    check("KL", lambda: got, expected, tolerance)
    check("KL", lambda: torch.tensor([0.0, got]), [0, expected], tolerance + 1e-7)  # float32 rounds


@pytest.mark.parametrize(
    ("got", "expected", "tolerance"),
    [
        (0.00011, 0, 1e-4),
        (0.31, 0.25, 0.05),
        (1000.11, 1000, 1e-4),
        (999.89, 1000, 1e-4),
        (8.9, 10, 0.1),
        (11.2, 10, 0.1),
        (2.0000001, 2, 0),
    ],
)
def test_a_number_may_not_be_off_by_more_than_the_tolerance(got, expected, tolerance):
    with pytest.raises(WrongAnswer):
        check("KL", lambda: got, expected, tolerance)
    with pytest.raises(WrongAnswer):
        check("KL", lambda: [expected, got], [expected, expected], tolerance)


@pytest.mark.parametrize(("got", "expected", "tolerance"), [(11.1, 10, 0.1), (1.9, 1, 0.5), (100, 1, 1)])
def test_the_tolerance_is_relative_to_the_expected_number_and_not_to_the_answer(got, expected, tolerance):
    with pytest.raises(WrongAnswer):
        check("KL", lambda: got, expected, tolerance)


def test_the_default_tolerance_is_a_ten_thousandth():
    check("KL", lambda: 1 + 0.9e-4, 1)
    assert complaint(1 + 1.1e-4, 1) == ["KL: not right yet", "  expected: 1", "  got:      1.00011"]


def test_a_message_shows_what_was_expected_what_came_and_a_hint():
    lines = ["KL: not right yet", "  expected: 1.30685", "  got:      2.61371"]
    assert complaint(torch.tensor(2.6137056), 1.3068528) == lines
    assert complaint(2.6137056, 1.3068528, hint="one half of it") == [*lines, "  hint:     one half of it"]


def test_a_message_about_a_wrong_shape_shows_both_shapes():
    assert complaint(torch.ones(2, 1), [1, 1])[1:] == [
        "  expected: [1, 1], shape (2,)",
        "  got:      [1, 1], shape (2, 1)",
    ]
    assert complaint(None, [1, 1])[2] == "  got:      None, shape ()"
    assert complaint([], 1)[2] == "  got:      [], shape (0,)"


def test_a_message_about_a_short_tensor_shows_all_numbers():
    assert complaint(torch.arange(12), torch.zeros(12))[1:] == [
        "  expected: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]",
        "  got:      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]",
    ]


def test_a_message_about_a_long_tensor_shows_the_place_of_the_first_wrong_number():
    got = torch.zeros(4, 5)
    got[2, 3] = 0.25
    got[3, 4] = NAN
    assert complaint(got, torch.zeros(4, 5))[1:] == [
        "  expected: 0 at position 13 of 20 numbers (2 are wrong)",
        "  got:      0.25",
    ]


def test_a_message_about_a_long_tensor_of_the_wrong_shape_is_short():
    assert complaint(torch.zeros(500), torch.zeros(20))[1:] == [
        "  expected: [" + "0, " * 12 + "…], shape (20,)",
        "  got:      [" + "0, " * 12 + "…], shape (500,)",
    ]


@pytest.mark.parametrize(("got", "expected"), [("1", 1), (1, "1"), ("None", None), ("True", True)])
def test_a_message_tells_a_text_from_what_reads_the_same(got, expected):
    _, first, second = complaint(got, expected)
    assert first.removeprefix("  expected: ") != second.removeprefix("  got:      ")


def test_a_wrong_answer_is_shown_without_a_traceback(shell):
    error = WrongAnswer("KL: not right yet\n  expected: 1")
    assert error._render_traceback_() == ["KL: not right yet", "  expected: 1"]


def test_what_an_answer_prints_warns_and_displays_does_not_reach_the_output(shell, monkeypatch):
    def to_standard_error(message, category, filename, lineno, file=None, line=None):
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    def noisy():
        print("print")
        print("error", file=sys.stderr)
        warnings.warn("warning", stacklevel=1)
        display("display")
        return 1.0

    def run():
        check("KL", noisy, 1)
        record("KL", noisy)

    monkeypatch.setattr(warnings, "showwarning", to_standard_error)  # as without pytest, which collects them
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert shown(noisy)[0] == "print\n"
        assert "warning" in shown(noisy)[1]
        printed, errors, displays = shown(run)
    assert (printed, errors) == ("", "")
    assert [data["text/plain"] for data, _ in displays] == ["right: KL", "KL: () 1"]


def test_without_a_shell_a_check_still_says_something(capsys):
    check("KL", lambda: print("noise") or 1.0, 1)
    assert capsys.readouterr().out == "{'text/plain': 'right: KL'}\n"


@pytest.mark.parametrize(
    "error", [ValueError("no"), NotImplementedError(), KeyboardInterrupt(), SystemExit()]
)
def test_an_exception_of_the_answer_passes_through_unchanged(shell, error):
    def answer():
        print("noise")
        raise error

    def run():
        for function in (lambda: check("KL", answer, 1), lambda: record("KL", answer)):
            with pytest.raises(type(error)) as caught:
                function()
            assert caught.value is error

    assert shown(run) == ("", "", [])


class Yes(float):
    """A number that says that it equals everything, and is no further from it than nothing."""

    __hash__ = None

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__

    def __format__(self, how):
        return "1"


class YesWithList(Yes):
    def tolist(self):
        return self


class YesText(str):
    __hash__ = None

    def __eq__(self, other):
        return True


class YesObject:
    __hash__ = None

    def __eq__(self, other):
        return True


@pytest.mark.parametrize("kind", [Yes, YesWithList, YesText, YesObject])
@pytest.mark.parametrize("place", ["alone", "in a list", "in an array"])
def test_objects_that_equal_everything_do_not_pass(shell, kind, place):
    answer = {"alone": kind(), "in a list": [1, kind()], "in an array": np.array([kind(), None])}[place]

    def run():
        for expected in (1, "1", [1, 1], None):
            with pytest.raises(TypeError, match=f"got {kind.__name__}$"):
                check("KL", lambda: answer, expected)
        with pytest.raises(TypeError, match=f"got {kind.__name__}$"):
            record("KL", lambda: answer)

    assert shown(run) == ("", "", [])


@pytest.mark.parametrize("answer", [1.0, torch.tensor(1.0), None])
def test_an_answer_that_is_no_function_is_refused(answer):
    with pytest.raises(TypeError, match="pass the answer as a function"):
        check("KL", answer, 1.0)
    with pytest.raises(TypeError, match="pass the answer as a function"):
        record("KL", answer)


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (torch.tensor(1.3068528), "x: () 1.30685"),
        (torch.tensor([[1.0, 2.5], [NAN, -INF]]), "x: (2, 2) 1 2.5 nan -inf"),
        (np.array([1e-12, 1234567.0]), "x: (2,) 1e-12 1.23457e+06"),
        ([True, None, "a"], "x: (3,) True None a"),
        ([[1, 2], [3]], "x: (2,) 1 2 3"),
    ],
)
def test_record_displays_the_shape_and_the_numbers(shell, value, line):
    shows = ({"text/plain": line}, {"gm_lab": "check"})
    assert shown(lambda: record("x", lambda: value)) == ("", "", [shows])


def test_record_displays_empty_lists(shell):
    assert recorded(lambda: []).split() == ["x:", "(0,)"]


def test_record_shows_float32_and_float64_alike(shell):
    assert recorded(lambda: torch.tensor([0.1, 2.3])) == recorded(lambda: torch.tensor([0.1, 2.3]).double())


def test_record_does_not_shorten_a_long_tensor(shell):
    assert len(recorded(lambda: torch.zeros(300)).split()) == 302


def test_plain_returns_python_values():
    value = plain((np.float64(1.5), torch.tensor([1, 2]), [True, None], "a", np.array("b")))
    assert value == [1.5, [1, 2], [True, None], "a", "b"]
    assert [type(item) for item in flat(value)] == [float, int, int, bool, type(None), str, str]


@pytest.mark.parametrize("value", [{"a": 1}, {1}, 1j, b"a", object(), [1, {2}], len, float])
def test_plain_refuses_what_is_no_number_text_or_list(value):
    with pytest.raises(TypeError, match="expected a number, a tensor, a text or a list of them"):
        plain(value)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (1.0, ()),
        ("text", ()),
        ([], (0,)),
        ([1, 2, 3], (3,)),
        ([[], []], (2, 0)),
        ([[1, 2], [3, 4], [5, 6]], (3, 2)),
        ([[[1], [2]]], (1, 2, 1)),
        ([[1, 2], [3]], (2,)),
        ([1, [2]], (2,)),
    ],
)
def test_shape_goes_as_far_as_lengths_agree(value, known):
    assert shape(value) == known


def test_flat_keeps_the_order():
    assert flat([[1, [2, []]], [], "ab", 3]) == [1, 2, "ab", 3]
    assert flat(4) == [4]

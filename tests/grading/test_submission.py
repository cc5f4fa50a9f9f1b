"""gm_lab.grading.submission: damaged files, whose answer a cell is, and the merge with the release."""

import copy
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gm_lab.grading import submission
from gm_lab.grading.assignment import grading, release
from gm_lab.grading.submission import (
    Answers,
    BadSubmission,
    Cell,
    answers,
    is_answered,
    merge,
    read,
    read_cell,
)
from tests.grading.toy import ANSWERS, cell_of, dump, fill, toy_cells

NO_VALUE = "Expecting value: line 1 column 1 (char 0)"  # as json says it


@pytest.fixture
def handed_out():
    """The release of the toy assignment, with an output below each check."""
    source = new_notebook(cells=toy_cells())
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("display_data", {"text/plain": "right"})]
    return release(source)


@pytest.fixture
def notebook(handed_out):
    """A copy of the release, to fill in."""
    return copy.deepcopy(handed_out)


def found_in(notebook, handed_out):
    return answers(handed_out, read(dump(notebook)))


def refusal(raw):
    with pytest.raises(BadSubmission) as caught:
        read(raw)
    return str(caught.value)


def file_of(*cells, **about):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **about}).encode()


def test_a_file_is_read_cell_by_cell(notebook):
    cells = read(dump(fill(notebook)))
    assert [cell.grade_id for cell in cells] == [grading(cell).get("grade_id") for cell in notebook.cells]
    assert [cell.cell_id for cell in cells] == [cell.id for cell in notebook.cells]
    assert cells[0] == Cell("markdown", "# Assignment: toys", None, notebook.cells[0].id)
    assert cells[3] == Cell("code", ANSWERS["q1"], "q1", notebook.cells[3].id)


def test_a_byte_order_mark_does_no_harm(notebook):
    assert read(b"\xef\xbb\xbf" + dump(notebook)) == read(dump(notebook))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "the file is empty"),
        (b" \r\n\t", "the file is empty"),
        (b"\xff\xfe{\x00", "the file is not UTF-8 text; save it with Jupyter"),
        ('{"author": "Zoë"}'.encode("latin-1"), "the file is not UTF-8 text; save it with Jupyter"),
        (b"[" * 200_000, "the file is no notebook: it is nested too deeply"),
        (b"\xef\xbb\xbf", f"the file is no notebook: it is not valid JSON ({NO_VALUE})"),
        (b"homework", f"the file is no notebook: it is not valid JSON ({NO_VALUE})"),
        (b"[]", "the file is no notebook: it has no nbformat"),
        (b"null", "the file is no notebook: it has no nbformat"),
        (b"{}", "the file is no notebook: it has no nbformat"),
        (b'{"nbformat": "4", "cells": []}', "the file is no notebook: it has no nbformat"),
        (b'{"nbformat": 4}', "the file is no notebook: it has no cells"),
        (b'{"nbformat": 4, "cells": {"source": "1"}}', "the file is no notebook: it has no cells"),
        (b'{"nbformat": 4, "cells": null}', "the file is no notebook: it has no cells"),
    ],
)
def test_a_damaged_file_is_refused_in_words_for_the_student(raw, message):
    assert refusal(raw) == message


def test_a_truncated_file_is_refused(notebook):
    raw = dump(notebook)
    assert refusal(raw[: len(raw) // 2]).startswith("the file is no notebook: it is not valid JSON (")


def test_markers_of_a_merge_are_named(notebook):
    raw = b"<<<<<<< HEAD\n" + dump(notebook) + b"\n=======\n>>>>>>> theirs\n"
    assert refusal(raw).endswith("; it holds the markers of an unfinished merge")


def test_an_endless_number_is_refused():
    assert "not valid JSON" in refusal(b'{"nbformat": 4, "cells": [' + b"1" * 5000 + b"]}")


def test_a_file_that_is_too_large_is_refused():
    assert refusal(b"x" * 20_500_001) == "the file has 21 MB, at most 20: clear its outputs"


def test_a_file_of_the_largest_size_is_read(notebook):
    raw = dump(notebook)
    assert len(read(raw + b" " * (submission.LARGEST - len(raw)))) == len(notebook.cells)


def test_too_many_cells_are_refused():
    assert refusal(file_of(*[{}] * 2001)) == "the notebook has 2001 cells, at most 2000"
    assert len(read(file_of(*[{}] * 2000))) == 2000


def test_an_old_format_is_converted_and_keeps_its_grade_ids(notebook, handed_out):
    old = nbformat.convert(fill(notebook), 3)  # version 3 calls a source `input`, and lets headings be cells
    assert old.worksheets[0].cells[3].input == ANSWERS["q1"]
    assert found_in(old, handed_out).sources == {name: [source] for name, source in ANSWERS.items()}


@pytest.mark.parametrize("about", [{"nbformat": 3}, {"nbformat": 1}, {"nbformat": -7}, {"nbformat": True}])
def test_an_old_format_that_cannot_be_converted_is_refused(about):
    raw = json.dumps({"worksheets": 3, "cells": 4, **about}).encode()
    assert refusal(raw).startswith("the notebook's format is too old to convert (")


def test_a_future_format_is_read(notebook):
    assert read(json.dumps({**notebook, "nbformat": 5}).encode()) == read(dump(notebook))


def test_what_is_no_cell_is_left_out():
    assert read(file_of(None, 1, "a", [], {"cell_type": "code", "source": "x"})) == [
        Cell("code", "x", None, None)
    ]


@pytest.mark.parametrize(
    ("cell", "known"),
    [
        ({}, Cell("None", "", None, None)),
        ({"cell_type": ["code"], "source": 3, "metadata": 4, "id": 5}, Cell("['code']", "", None, None)),
        ({"cell_type": "raw", "source": ["a\n", "b"]}, Cell("raw", "a\nb", None, None)),
        ({"cell_type": "code", "source": ["a\n", None]}, Cell("code", "", None, None)),
        ({"cell_type": "code", "source": "a\0b\ud800c"}, Cell("code", "ab?c", None, None)),
        ({"metadata": {"nbgrader": [1]}}, Cell("None", "", None, None)),
        ({"metadata": {"nbgrader": {"grade_id": ["q1"]}}}, Cell("None", "", None, None)),
        ({"metadata": {"nbgrader": {"grade_id": "q1"}}, "id": "a"}, Cell("None", "", "q1", "a")),
        ({"source": "x" * 200_000}, Cell("None", "x" * 200_000, None, None)),
        ({"source": "x" * 200_001}, Cell("None", "", None, None)),
    ],
)
def test_what_has_the_wrong_type_is_as_good_as_missing(cell, known):
    assert read_cell(cell) == known


def test_nothing_is_answered_in_a_release(notebook, handed_out):
    assert found_in(notebook, handed_out) == Answers({}, [])


def test_answers_are_found_by_their_grade_id(notebook, handed_out):
    fill(notebook).cells.reverse()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    cell_of(notebook, "q4-explain").source = "Because."
    sources = {grade_id: [source] for grade_id, source in ANSWERS.items()}
    assert found_in(notebook, handed_out) == Answers({**sources, "q4-explain": ["Because."]}, [])


def test_answers_that_lost_their_grade_id_are_found_by_their_cell_id(notebook, handed_out):
    for cell in fill(notebook).cells:
        cell.metadata = {}
    assert found_in(notebook, handed_out) == Answers({name: [source] for name, source in ANSWERS.items()}, [])


def test_a_grade_id_counts_more_than_a_cell_id(notebook, handed_out):
    first, second = cell_of(notebook, "q1"), cell_of(notebook, "q2")
    first.id, second.id = second.id, first.id
    first.source = "one = 1"
    assert found_in(notebook, handed_out) == Answers({"q1": ["one = 1"]}, [])


def test_a_cell_with_an_unknown_grade_id_is_found_by_its_cell_id(notebook, handed_out):
    cell = cell_of(notebook, "q1")
    cell.source, cell.metadata.nbgrader.grade_id = "one = 1", "q100"
    assert found_in(notebook, handed_out) == Answers({"q1": ["one = 1"]}, [])


def test_only_cells_with_an_answers_ids_are_answers_when_the_release_has_no_cell_ids(notebook, handed_out):
    for cell in [*handed_out.cells, *notebook.cells]:
        del cell["id"]
    fill(notebook).cells.append({"cell_type": "markdown", "source": "my notes", "metadata": {}})
    found = found_in(notebook, handed_out)
    assert found == Answers({name: [source] for name, source in ANSWERS.items()}, [])


def test_a_split_answer_is_all_of_its_cells_in_their_order(notebook, handed_out):
    whole = cell_of(notebook, "q2")
    for source in ("b = 2", "a = 1"):
        piece = copy.deepcopy(whole)
        piece.source = source
        notebook.cells.insert(notebook.cells.index(whole), piece)
    found = found_in(notebook, handed_out)
    assert found.sources == {"q2": ["b = 2", "a = 1"]}  # the untouched stub is no part of it
    assert found.notes == ["q2 is answered in 2 cells, which are run in their order"]


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            lambda nb: cell_of(nb, "q1-check").update(source="pass"),
            "q1-check was changed; the original is used",
        ),
        (
            lambda nb: cell_of(nb, "q1").update(cell_type="markdown"),
            "the answer q1 became a text cell, which is not read: change its type back",
        ),
        (
            lambda nb: cell_of(nb, "q1").update(cell_type="raw"),
            "the answer q1 became a text cell, which is not read: change its type back",
        ),
        (
            lambda nb: cell_of(nb, "q4-explain").update(cell_type="code", outputs=[]),
            "the answer q4-explain became a code cell, which is not read: change its type back",
        ),
        (lambda nb: nb.cells.remove(cell_of(nb, "q1")), "the answer cell q1 is missing"),
        (lambda nb: nb.cells.remove(cell_of(nb, "q4-explain")), "the answer cell q4-explain is missing"),
        (
            lambda nb: nb.cells.extend([new_code_cell("half = 0.5"), new_code_cell("two = 2")]),
            "2 cells of your own were not run: what an answer needs belongs into its cell",
        ),
        (
            lambda nb: cell_of(nb, "q1").update(source="# NBVAL_SKIP\none = 1"),
            "q1: comments to nbval were taken out",
        ),
    ],
)
def test_a_student_is_told(notebook, handed_out, change, note):
    change(notebook)
    assert found_in(notebook, handed_out).notes == [note]


def test_cells_that_change_nothing_are_not_worth_a_note(notebook, handed_out):
    notebook.cells.append(new_code_cell("  \n"))
    notebook.cells.append(new_code_cell(handed_out.cells[1].source + "\n"))  # the set-up, once more
    notebook.cells.append(new_markdown_cell("my notes"))
    notebook.cells.remove(cell_of(notebook, "q1-check"))
    assert found_in(notebook, handed_out).notes == []


def test_flags_and_points_that_a_student_changed_do_not_count(notebook, handed_out):
    fill(notebook)
    for grade_id in ("q1", "q1-check"):
        about = cell_of(notebook, grade_id).metadata.nbgrader
        about.update(solution=not about.solution, grade=not about.grade, points=1000)
    assert found_in(notebook, handed_out).sources["q1"] == [ANSWERS["q1"]]
    assert "q1-check" not in found_in(notebook, handed_out).sources


def test_a_stub_is_no_answer(handed_out):
    code, text = cell_of(handed_out, "q1"), cell_of(handed_out, "q4-explain")
    for source in (
        "",
        " \n",
        code.source,
        f"\n{code.source}\n",
        "# YOUR CODE HERE\nraise NotImplementedError()",
    ):
        assert not is_answered(code, source)
    for source in ("", "\n", "YOUR ANSWER HERE", " YOUR ANSWER HERE\n"):
        assert not is_answered(text, source)


def test_anything_else_is_an_answer(handed_out):
    code, text = cell_of(handed_out, "q1"), cell_of(handed_out, "q4-explain")
    assert is_answered(code, ANSWERS["q1"])
    assert is_answered(code, code.source.replace("raise NotImplementedError()", "pass"))
    assert is_answered(code, "YOUR ANSWER HERE")
    assert is_answered(text, "YOUR ANSWER HERE: because.")


def test_a_merge_changes_the_answers_only(notebook, handed_out):
    before = copy.deepcopy(handed_out)
    for cell in fill(notebook).cells:
        cell.metadata["tags"] = ["nbval-skip"]
    cell_of(notebook, "q1-check").source = "pass"
    notebook.cells[1].source = "check = None"
    notebook.metadata = {"kernelspec": {"name": "julia"}}
    merged = merge(handed_out, found_in(notebook, handed_out))
    expected = fill(copy.deepcopy(handed_out))
    assert merged == expected
    assert handed_out == before


def test_a_merge_of_nothing_is_the_release(handed_out):
    assert merge(handed_out, Answers()) == handed_out


def test_a_merge_of_a_split_answer_has_a_cell_for_each_part(handed_out):
    merged = merge(handed_out, Answers({"q1": ["a = 1", "b = 2", "c = 3"]}))
    pieces = [cell for cell in merged.cells if grading(cell).get("grade_id") == "q1"]
    assert [cell.source for cell in pieces] == ["a = 1", "b = 2", "c = 3"]
    assert len(merged.cells) == len(handed_out.cells) + 2
    assert len({cell.id for cell in merged.cells}) == len(merged.cells)
    nbformat.validate(merged)


def test_a_split_answer_can_be_merged_into_a_release_without_cell_ids(handed_out):
    handed_out.nbformat_minor = 4
    for cell in handed_out.cells:
        del cell["id"]
    merged = merge(handed_out, Answers({"q1": ["a = 1", "b = 2"]}))
    nbformat.validate(merged)
    assert len(merged.cells) == len(handed_out.cells) + 1


def test_a_merge_for_one_question_has_the_set_up_and_no_other_question(handed_out):
    merged = merge(handed_out, Answers({"q1": ["a = 1"], "q2": ["b = 2"]}), only="q2")
    kept = [grading(cell).get("grade_id") for cell in merged.cells if cell.cell_type == "code"]
    assert kept == [None, "q2", "q2-check"]
    assert cell_of(merged, "q2").source == "b = 2"
    assert merged.cells[1].source == handed_out.cells[1].source


MARKERS = ["NBVAL_SKIP", "NBVAL_IGNORE_OUTPUT", "NBVAL_RAISES_EXCEPTION", "NBVAL_CHECK_OUTPUT"]
BETWEEN_LINES = ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028"]  # where nbval begins a new line


def what_nbval_sees(source):
    from nbval.plugin import find_comment_markers

    return list(find_comment_markers(source))


@pytest.mark.parametrize("marker", [*MARKERS, "PYTEST_VALIDATE_IGNORE_OUTPUT"])
@pytest.mark.parametrize(
    "source", ["# {}", "#{}", "a = 1\n    ## {}  ", "'''\n\t#  {}\n'''", "# {}\n\n\nb = 2"]
)
def test_comments_to_nbval_are_taken_out_of_answers(notebook, handed_out, marker, source):
    cell_of(notebook, "q1").source = source.format(marker)
    assert what_nbval_sees(source.format(marker))
    (cleaned,) = found_in(notebook, handed_out).sources["q1"]
    assert not what_nbval_sees(cleaned)
    assert cleaned.split() == source.format("(taken out)").split()


@pytest.mark.parametrize("between", BETWEEN_LINES)
def test_comments_to_nbval_are_taken_out_whatever_ends_a_line(notebook, handed_out, between):
    source = f"a = 1{between}# NBVAL_SKIP{between}"
    cell_of(notebook, "q1").source = source
    assert what_nbval_sees(source)
    (cleaned,) = found_in(notebook, handed_out).sources["q1"]
    assert not what_nbval_sees(cleaned)


def test_other_comments_and_the_code_around_stay(notebook, handed_out):
    source = "# NBVAL_SKIP\ndef f():\n    # about NBVAL_SKIP\n    name = '# NBVAL_SKIP'\n\n\n    return name"
    cell_of(notebook, "q1").source = source
    (cleaned,) = found_in(notebook, handed_out).sources["q1"]
    assert cleaned == source.replace("# NBVAL_SKIP", "# (taken out)", 1)

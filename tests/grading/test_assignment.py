"""gm_lab.grading.assignment: questions, faults of a source, what students get, and nbgrader's checksums."""

import copy
import hashlib
import re

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gm_lab.grading.assignment import (
    checksum,
    clear_solution,
    complete,
    grading,
    problems,
    question_of,
    questions,
    release,
)
from tests.grading.toy import KL, KL_CHECK, KL_HIDDEN, SETUP, cell_of, part, toy_cells

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


@pytest.fixture
def toy():
    """The source of the toy assignment with an output below each cell with code, as if it had been run."""
    notebook = new_notebook(cells=toy_cells())
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [new_output("stream", text=f"output of {grading(cell).get('grade_id')}")]
            cell.execution_count = 7
    return notebook


def written(grade_id="q2", points=2):
    about = complete({"grade_id": grade_id, "solution": True, "points": points})
    return new_markdown_cell("Because.", metadata={"nbgrader": about})


def test_complete_fills_in_an_answer():
    assert complete({"grade_id": "q1", "solution": True}) == {
        "grade_id": "q1",
        "grade": False,
        "solution": True,
        "locked": False,
        "task": False,
        "schema_version": 3,
    }


def test_complete_fills_in_a_check():
    about = complete({"grade_id": "q1-check", "points": 0})
    assert (about["grade"], about["solution"], about["locked"], about["points"]) == (True, False, True, 0)


def test_complete_fills_in_a_written_answer():
    about = complete({"grade_id": "q1", "solution": True, "points": 2})
    assert (about["grade"], about["solution"], about["locked"]) == (True, True, False)


def test_complete_keeps_what_stands_there_except_what_a_release_computes():
    given = {"grade_id": "q1", "locked": True, "remarks": "hard", "checksum": "abc", "cell_type": "code"}
    about = complete(given)
    assert about["locked"] is True
    assert about["remarks"] == "hard"
    assert not {"checksum", "cell_type"} & set(about)
    assert complete(about) == about
    assert given["checksum"] == "abc"


@pytest.mark.parametrize(
    ("grade_id", "question"),
    [("q1", "q1"), ("q12-check", "q12"), ("q1-more", "q1"), ("setup", None), ("quiz", None), ("my-q1", None)],
)
def test_a_cell_belongs_to_the_question_that_its_grade_id_begins_with(grade_id, question):
    assert question_of(part("pass", grade_id, solution=True)) == question


def test_a_cell_without_nbgraders_metadata_belongs_to_no_question():
    assert question_of(new_code_cell("pass")) is None
    assert question_of({"source": "pass"}) is None


def test_questions_have_titles_points_and_cells(toy):
    found = questions(toy)
    assert [(q.name, q.title, q.points, q.written_points) for q in found] == [
        ("q1", "Question 1. KL", 4, 0),
        ("q2", "Question 2. Sample", 3, 0),
        ("q3", "Question 3. Weights", 3, 0),
        ("q4", "Question 4. Explain", 0, 2),
    ]
    assert found[0].answers == [cell_of(toy, "q1")]
    assert found[0].visible == [cell_of(toy, "q1-check")]
    assert found[0].hidden == [cell_of(toy, "q1-hidden")]
    assert found[3].written == [cell_of(toy, "q4-explain")]


def test_the_points_of_a_question_are_those_of_all_its_checks():
    cells = [part("pass", "q1", solution=True), part("pass", "q1-more", solution=True), written("q1-why", 3)]
    cells += [part("pass", "q1-check", points=0.5), part("pass", "q1-check2", points=1)]
    (question,) = questions(new_notebook(cells=[*cells, part(KL_HIDDEN, "q1-hidden", points=2)]))
    assert (question.points, question.written_points) == (3.5, 3)
    assert [grading(cell)["grade_id"] for cell in question.answers] == ["q1", "q1-more"]


def test_a_title_is_the_last_heading_above_the_first_cell_of_a_question():
    cells = [
        new_markdown_cell("# Part\n\ntext\n\n## Warm up\n\nmore text"),
        part("pass", "q2", solution=True),
        new_markdown_cell("# too late for q2"),
        part("pass", "q2-check", points=1),
        new_markdown_cell("no heading, only # a sign"),
        part("pass", "q1", solution=True),
    ]
    found = questions(new_notebook(cells=cells))
    assert [(q.name, q.title) for q in found] == [("q2", "Warm up"), ("q1", "too late for q2")]


def test_a_heading_inside_a_written_answer_is_no_title():
    cell = written("q1")
    cell.source = "# My answer"
    found = questions(new_notebook(cells=[new_markdown_cell("# Why?"), cell, written("q2")]))
    assert [question.title for question in found] == ["Why?", "Why?"]


def test_a_set_up_has_no_questions():
    assert questions(new_notebook(cells=[new_code_cell(SETUP), part("pass", "imports")])) == []


def test_the_toy_has_no_problems(toy):
    assert problems(toy) == []


ANSWER, CHECK = part(KL, "q1", solution=True), part(KL_CHECK, "q1-check", points=1)
HIDDEN = part(KL_HIDDEN, "q1-h", points=3)
UNPAIRED = {
    "no end": "### BEGIN SOLUTION\npass",
    "no begin": "pass\n### END SOLUTION",
    "reversed": "### END SOLUTION\n### BEGIN SOLUTION",
    "nested": "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION",
    "one too many": "### BEGIN SOLUTION\n### END SOLUTION\n### BEGIN SOLUTION",
}  # fmt: skip
FAULTS = {
    "nothing": ([], ["no question: no cell has a grade_id like q1"]),
    "only a set-up": ([new_code_cell(SETUP)], ["no question: no cell has a grade_id like q1"]),
    "the same grade_id thrice": (
        [ANSWER, CHECK, HIDDEN, CHECK, CHECK], ["grade_id 'q1-check' stands on 3 cells"]
    ),
    "a space in a grade_id": (
        [ANSWER, CHECK, HIDDEN, part("pass", "q1 b", points=1)],
        ["grade_id 'q1 b': use letters, digits, - and _"],
    ),
    "an empty grade_id": (
        [ANSWER, CHECK, HIDDEN, part("pass", "", points=1)],
        ["grade_id '': use letters, digits, - and _"],
    ),
    **{
        name: (
            [part(source, "q1", solution=True), CHECK, HIDDEN],
            ["q1: ### BEGIN SOLUTION and ### END SOLUTION do not pair up"],
        )
        for name, source in UNPAIRED.items()
    },
    "a solution in a check": (
        [ANSWER, part("### BEGIN SOLUTION\n### END SOLUTION", "q1-check", points=1), HIDDEN],
        ["q1-check: a solution in a cell that is no answer (nbgrader: solution)"],
    ),
    "a solution in the set-up": (
        [new_code_cell("### BEGIN SOLUTION\n### END SOLUTION"), ANSWER, CHECK, HIDDEN],
        ["a cell without grade_id: a solution in a cell that is no answer (nbgrader: solution)"],
    ),
    "a hidden check below other code": (
        [ANSWER, CHECK, part(f"sesame = 1\n{KL_HIDDEN}", "q1-h", points=3)],
        ["q1-h: a hidden check is a cell of its own, from ### BEGIN HIDDEN TESTS to ### END HIDDEN TESTS"],
    ),
    "a hidden check above other code": (
        [ANSWER, CHECK, part(f"{KL_HIDDEN}\nsesame = 1", "q1-h", points=3)],
        ["q1-h: a hidden check is a cell of its own, from ### BEGIN HIDDEN TESTS to ### END HIDDEN TESTS"],
    ),
    "a hidden check that does not end": (
        [ANSWER, CHECK, part("### BEGIN HIDDEN TESTS\nsesame = 1", "q1-h", points=3)],
        [
            "q1-h: ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS do not pair up",
            "q1-h: a hidden check is a cell of its own, from ### BEGIN HIDDEN TESTS to ### END HIDDEN TESTS",
        ],
    ),
    "a hidden check that does not begin": (
        [ANSWER, CHECK, HIDDEN, part("sesame = 1\n### END HIDDEN TESTS", "q1-h2", points=3)],
        ["q1-h2: ### BEGIN HIDDEN TESTS and ### END HIDDEN TESTS do not pair up"],
    ),
    "a hidden check without points": (
        [ANSWER, CHECK, HIDDEN, part(KL_HIDDEN, "q1-h2")], ["q1-h2: a hidden check without points"]
    ),
    "a hidden check without metadata": (
        [ANSWER, CHECK, HIDDEN, new_code_cell(KL_HIDDEN)],
        ["a cell without grade_id: a hidden check without points"],
    ),
    "no visible check": ([ANSWER, HIDDEN], ["q1: no visible check (a locked cell with points)"]),
    "no hidden check": ([ANSWER, CHECK], ["q1: no hidden check"]),
    "no answer": ([CHECK, HIDDEN], ["q1: a check, but no answer cell (nbgrader: solution)"]),
    "two faults": (
        [ANSWER, written("q2 b")],
        [
            "grade_id 'q2 b': use letters, digits, - and _",
            "q1: no visible check (a locked cell with points)",
            "q1: no hidden check",
        ],
    ),
}  # fmt: skip


def notebook_of(*cells):
    """A notebook of copies of cells, which have ids of their own."""
    return new_notebook(
        cells=[NotebookNode(cell, id=f"cell-{i}") for i, cell in enumerate(copy.deepcopy(cells))]
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_source_is_named(fault):
    cells, named = FAULTS[fault]
    source = notebook_of(*cells)
    assert problems(source) == named
    with pytest.raises(ValueError, match=re.escape("; ".join(named))):
        release(source)


def test_metadata_without_a_grade_id_is_a_fault_and_no_crash():
    cell = new_code_cell("pass", metadata={"nbgrader": complete({"solution": True})})
    assert problems(notebook_of(ANSWER, CHECK, HIDDEN, cell))


def test_metadata_that_was_not_completed_is_a_fault_and_no_crash():
    cell = new_code_cell("pass", metadata={"nbgrader": {"grade_id": "q1-more", "solution": True}})
    assert problems(notebook_of(ANSWER, CHECK, HIDDEN, cell))


def test_a_written_question_needs_no_checks():
    assert problems(new_notebook(cells=[written("q1")])) == []


def test_a_stub_replaces_a_solution_at_its_indentation():
    assert clear_solution(KL).splitlines()[2:] == ["    # YOUR CODE HERE", "    raise NotImplementedError()"]
    assert clear_solution(KL).splitlines()[:2] == KL.splitlines()[:2]


def test_each_solution_of_a_cell_is_replaced():
    source = """\
class A:
    def f(self):
        ### BEGIN SOLUTION
        if 1:
            return 2
        ### END SOLUTION

    g = 3
### BEGIN SOLUTION
def h(): return 4
### END SOLUTION
i = 5"""
    assert clear_solution(source) == """\
class A:
    def f(self):
        # YOUR CODE HERE
        raise NotImplementedError()

    g = 3
# YOUR CODE HERE
raise NotImplementedError()
i = 5"""  # fmt: skip


@pytest.mark.parametrize("source", ["", "def f():\n    return 1", "### begin solution\nsesame"])
def test_a_cell_without_marks_is_a_solution_as_a_whole(source):
    assert clear_solution(source) == STUB


def test_a_release_clears_answers_and_drops_hidden_checks(toy):
    released = release(toy)
    assert [grading(cell).get("grade_id") for cell in released.cells] == [
        None, None, None, "q1", "q1-check", None, "q2", "q2-check", None, "q3", "q3-check", None,
        "q4-explain",
    ]  # fmt: skip
    answer = cell_of(released, "q1")
    assert answer.source == clear_solution(KL)
    assert (answer.outputs, answer.execution_count) == ([], None)
    assert cell_of(released, "q4-explain").source == "YOUR ANSWER HERE"


def test_a_release_keeps_set_up_and_checks_with_their_outputs_and_counts_anew(toy):
    released = release(toy)
    check, before = cell_of(released, "q3-check"), cell_of(toy, "q3-check")
    assert (check.source, check.outputs, check.id) == (before.source, before.outputs, before.id)
    assert released.cells[1].outputs == toy.cells[1].outputs
    counts = [cell.execution_count for cell in released.cells if cell.cell_type == "code"]
    assert counts == [1, None, 3, None, 5, None, 7]


def test_students_can_edit_answers_only_and_delete_none_of_the_parts(toy):
    released = release(toy)
    for grade_id, editable in {"q1": None, "q1-check": False, "q4-explain": None}.items():
        metadata = cell_of(released, grade_id).metadata
        assert metadata.get("editable") is editable
        assert metadata["deletable"] is False
    assert released.cells[0].metadata == released.cells[1].metadata == {}


def test_a_locked_cell_of_the_set_up_stays_as_it_is(toy):
    toy.cells.insert(1, part("import math", "imports"))
    cell = cell_of(release(toy), "imports")
    assert cell.source == "import math"
    assert cell.metadata.editable is False


def test_releasing_leaves_the_source_as_it_was(toy):
    before = copy.deepcopy(toy)
    released = release(toy)
    assert toy == before
    released.cells[1].outputs.clear()
    cell_of(released, "q1-check").metadata.nbgrader.points = 100
    assert toy == before


def test_a_release_holds_no_solution_and_no_hidden_check(toy):
    text = str(release(toy))
    for sesame in ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN", "sesame", "log_var.exp()", "expectation"):
        assert sesame not in text


def test_a_release_can_be_released_to_no_one_else(toy):
    with pytest.raises(ValueError, match="q1: no hidden check; q2: no hidden check; q3: no hidden check"):
        release(release(toy))


def md5(*parts):
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def test_checksums_are_those_of_nbgrader(toy):
    """nbgrader.utils.compute_checksum: source, type, grade, solution, locked, grade_id, points of a grade."""
    released = release(toy)
    known = {
        "q1": md5(clear_solution(KL), "code", "False", "True", "False", "q1"),
        "q1-check": md5(KL_CHECK, "code", "True", "False", "True", "q1-check", "1.0"),
        "q4-explain": md5("YOUR ANSWER HERE", "markdown", "True", "True", "False", "q4-explain", "2.0"),
    }
    for grade_id, value in known.items():
        about = cell_of(released, grade_id).metadata.nbgrader
        assert about["checksum"] == value
        assert about["cell_type"] == cell_of(released, grade_id).cell_type
        assert about["schema_version"] == 3


@pytest.mark.parametrize(("locked", "written_out"), [(True, "True"), (False, "False")])
def test_the_checksum_of_a_cell_that_is_neither_answer_nor_check_depends_on_its_lock(locked, written_out):
    cell = part("import math  # π", "imports", locked=locked)
    assert checksum(cell) == md5("import math  # π", "code", "False", "False", written_out, "imports")


def test_a_check_counts_as_locked_whatever_its_lock_says():
    cell = part("pass", "q1-check", points=0.5, locked=False)
    assert checksum(cell) == md5("pass", "code", "True", "False", "True", "q1-check", "0.5")

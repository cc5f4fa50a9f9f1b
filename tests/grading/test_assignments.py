"""The assignments of the book: the sources are right, the releases are theirs, and typical wrong answers are
wrong."""

import ast
import copy
import importlib
import subprocess
import sys

import nbformat
import pytest

from gm_lab.grading.assignment import grading, questions, release
from gm_lab.grading.sandbox import Limits
from gm_lab.grading.validate import RELEASES
from gm_lab.grading.verdict import Assignment, grade
from gm_lab.grading.warm import PRELOAD
from tests.book.test_chapters import nbval
from tests.grading.toy import cell_of, dump
from tools.repository import ROOT

SOURCES = sorted((ROOT / "instructor" / "assignments").glob("*.ipynb"))
EACH = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in SOURCES])
LIMITS = Limits(cell_seconds=120, total_seconds=240)


def wrong_answers(path):
    """(question, what went wrong, source of the answer cell) of an assignment."""
    return importlib.import_module(f"tests.grading.wrong_answers.{path.stem.replace('-', '_')}").WRONG


def strict_nbval(path):
    """Run `pytest --nbval` on a notebook: (passed, report)."""
    return nbval(path, "--nbval", "--nbval-current-env")


def test_there_are_four():
    assert len(SOURCES) == 4


@EACH
def test_the_releases_are_made_from_the_source(path):
    made = nbformat.writes(release(nbformat.read(path, as_version=4))).rstrip()
    for folder in (ROOT / "book" / "assignments", RELEASES):
        assert (folder / path.name).read_text("utf-8").rstrip() == made, "run `make release`"


@EACH
def test_an_assignment_has_the_form_that_the_book_promises(path):
    source = nbformat.read(path, as_version=4)
    asked = questions(source)
    assert 4 <= len(asked) <= 6
    assert sum(question.points + question.written_points for question in asked) == 20
    assert all(f"Question {number}." in question.title for number, question in enumerate(asked, start=1))
    assert any(question.written for question in asked)
    said = {output.output_type for cell in source.cells for output in cell.get("outputs", [])}
    assert said == {"display_data"}, "nothing but the words of checks"


PRELOADED = "import sys; from gm_lab.grading.warm import preload; preload(); print(*sys.modules)"


def test_the_warm_process_has_imported_what_assignments_import():
    done = subprocess.run([sys.executable, "-c", PRELOADED], capture_output=True, text=True, check=True)
    warm = set(done.stdout.split())
    assert set(PRELOAD) <= warm
    for path in SOURCES:
        for cell in nbformat.read(path, as_version=4).cells:
            for statement in ast.walk(ast.parse(cell.source if cell.cell_type == "code" else "")):
                if isinstance(statement, ast.Import):
                    assert {name.name for name in statement.names} <= warm, path.stem
                elif isinstance(statement, ast.ImportFrom):
                    assert statement.module in warm, path.stem


@pytest.mark.notebook
@EACH
def test_the_source_passes_strict_nbval(path):
    passed, report = strict_nbval(path)
    assert passed, report


@pytest.mark.notebook
@EACH
def test_the_blank_release_fails_strict_nbval_at_every_check(path):
    passed, report = strict_nbval(ROOT / "book" / "assignments" / path.name)
    checks = [cell for question in questions(nbformat.read(path, as_version=4)) for cell in question.visible]
    assert not passed
    failed = int(report.rsplit(" failed", 1)[0].split()[-1].lstrip("="))
    assert failed >= len(checks)


@pytest.mark.sandbox
@EACH
def test_the_model_answers_are_worth_all_points(path, mode):
    source = nbformat.read(path, as_version=4)
    submission = copy.deepcopy(release(source))
    for cell in submission.cells:
        if grading(cell).get("solution"):
            cell.source = cell_of(source, grading(cell)["grade_id"]).source
    result = grade(Assignment(source), "model", dump(submission), mode, LIMITS)
    assert result.right, result
    assert result.points == result.possible


WRONG = [
    pytest.param(path, question, answer, id=f"{' '.join(path.stem.split('-')[:2])} {question} {what}")
    for path in SOURCES
    for question, what, answer in wrong_answers(path)
]


@pytest.mark.sandbox
@pytest.mark.parametrize(("path", "question", "answer"), WRONG)
def test_a_typical_wrong_answer_is_not_worth_all_points(path, question, answer, mode):
    assignment = Assignment.load(path)
    submission = copy.deepcopy(assignment.release)
    cell_of(submission, question).source = answer.strip("\n")
    result = grade(assignment, "student", dump(submission), mode, LIMITS)
    verdict = next(verdict for verdict in result.verdicts if verdict.name == question)
    assert not result.error
    assert not verdict.right
    assert verdict.feedback

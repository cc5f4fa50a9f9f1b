"""The format of an assignment, a notebook with nbgrader's cell metadata (schema 3), and its release.

A question `q1` has answer cells (`q1`, or `q1-more`), a visible check (`q1-check`) and a hidden one
(`q1-hidden`, its source between `### BEGIN HIDDEN TESTS` and `### END HIDDEN TESTS`). A written answer is a
Markdown cell with points, read by a person. Cells without a grade_id, and those whose grade_id names no
question, are the set-up.

https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html
"""

import copy
import hashlib
import re
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode

STUB = ["# YOUR CODE HERE", "raise NotImplementedError()"]
WRITE_HERE = "YOUR ANSWER HERE"
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
GRADE_ID = re.compile(r"[\w-]+")
QUESTION = re.compile(r"q\d+")


@dataclass
class Question:
    """The cells of one question, in the order of the notebook."""

    name: str
    title: str = ""
    answers: list[NotebookNode] = field(default_factory=list)
    visible: list[NotebookNode] = field(default_factory=list)
    hidden: list[NotebookNode] = field(default_factory=list)
    written: list[NotebookNode] = field(default_factory=list)

    @property
    def points(self) -> float:
        """What a machine awards: the points of the visible and the hidden checks."""
        return sum(grading(cell)["points"] for cell in self.visible + self.hidden)

    @property
    def written_points(self) -> float:
        """What a person awards."""
        return sum(grading(cell)["points"] for cell in self.written)


def grading(cell) -> dict:
    """Return nbgrader's metadata of a cell, or an empty dict."""
    return cell.get("metadata", {}).get("nbgrader") or {}


def complete(metadata: dict) -> dict:
    """Return nbgrader's metadata with what follows from `grade_id`, `solution` and `points` filled in."""
    solution, grade = metadata.get("solution", False), "points" in metadata
    defaults = {
        "grade": grade,
        "solution": solution,
        "locked": not solution,
        "task": False,
        "schema_version": 3,
    }
    return {
        key: value for key, value in {**defaults, **metadata}.items() if key not in ("checksum", "cell_type")
    }


def is_hidden(cell) -> bool:
    """Tell whether a cell is a hidden check."""
    return BEGIN_HIDDEN in cell.source


def question_of(cell) -> str | None:
    """Return the name of the question that a cell belongs to, `q2` for `q2-check`; None for the set-up."""
    found = QUESTION.match(grading(cell).get("grade_id", ""))
    return found[0] if found else None


def questions(notebook: NotebookNode) -> list[Question]:
    """Return the questions of an assignment, with the headings that stand above them as titles."""
    found, heading = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and not grading(cell):
            heading = (re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE) or [heading])[-1]
        name = question_of(cell)
        if name is None:
            continue
        question = found.setdefault(name, Question(name, heading))
        if grading(cell)["solution"]:
            (question.written if grading(cell)["grade"] else question.answers).append(cell)
        elif grading(cell)["grade"]:
            (question.hidden if is_hidden(cell) else question.visible).append(cell)
    return list(found.values())


def problems(source: NotebookNode) -> list[str]:
    """Return what is wrong with the source of an assignment, one sentence each."""
    if any(
        not complete(grading(cell)).items() <= grading(cell).items() for cell in source.cells if grading(cell)
    ):
        return ["nbgrader's metadata are not complete: run the source with the notebook tools"]
    if any("grade_id" not in grading(cell) for cell in source.cells if grading(cell)):
        return ["a cell has nbgrader's metadata without a grade_id"]
    found, ids = [], [grading(cell)["grade_id"] for cell in source.cells if grading(cell)]
    found += [
        f"grade_id {name!r} stands on {ids.count(name)} cells"
        for name in sorted(set(ids))
        if ids.count(name) > 1
    ]
    found += [
        f"grade_id {name!r}: use letters, digits, - and _" for name in ids if not GRADE_ID.fullmatch(name)
    ]
    for cell in source.cells:
        name = grading(cell).get("grade_id", "a cell without grade_id")
        for begin, end in ((BEGIN_SOLUTION, END_SOLUTION), (BEGIN_HIDDEN, END_HIDDEN)):
            marks = re.findall(rf"{begin}|{end}", cell.source)
            if marks != [begin, end] * (len(marks) // 2):
                found.append(f"{name}: {begin} and {end} do not pair up")
        if BEGIN_SOLUTION in cell.source and not grading(cell).get("solution"):
            found.append(f"{name}: a solution in a cell that is no answer (nbgrader: solution)")
        if is_hidden(cell) and (
            not cell.source.startswith(BEGIN_HIDDEN) or not cell.source.endswith(END_HIDDEN)
        ):
            found.append(f"{name}: a hidden check is a cell of its own, from {BEGIN_HIDDEN} to {END_HIDDEN}")
        if is_hidden(cell) and not grading(cell).get("grade"):
            found.append(f"{name}: a hidden check without points")
    for question in questions(source):
        if question.answers and not question.visible:
            found.append(f"{question.name}: no visible check (a locked cell with points)")
        if question.answers and not question.hidden:
            found.append(f"{question.name}: no hidden check")
        if not question.answers and question.visible + question.hidden:
            found.append(f"{question.name}: a check, but no answer cell (nbgrader: solution)")
    return found if found or questions(source) else ["no question: no cell has a grade_id like q1"]


def clear_solution(source: str) -> str:
    """Return the source of an answer cell with each solution replaced by the stub that students fill in."""
    lines, inside = [], False
    for line in source.split("\n"):
        if BEGIN_SOLUTION in line:
            indent = line[: len(line) - len(line.lstrip())]
            lines += [indent + stub for stub in STUB]
            inside = True
        elif END_SOLUTION in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines) if BEGIN_SOLUTION in source else "\n".join(STUB)


def checksum(cell) -> str:
    """Return nbgrader's checksum of a cell (nbgrader.utils.compute_checksum), by which it sees edits."""
    about = grading(cell)
    parts = [cell.source, cell.cell_type, about["grade"], about["solution"]]
    parts += [not about["solution"] and (about["grade"] or about["locked"]), about["grade_id"]]
    parts += [float(about["points"])] if about["grade"] else []
    return hashlib.md5("".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def release(source: NotebookNode) -> NotebookNode:
    """Return what students get: without solutions and hidden checks, with the outputs of visible checks.

    Raises ValueError, with everything that `problems` finds.
    """
    if found := problems(source):
        raise ValueError("; ".join(found))
    released = copy.deepcopy(source)
    released.cells = [cell for cell in released.cells if not is_hidden(cell)]
    count = 0
    for cell in released.cells:
        about = grading(cell)
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
        if not about:
            continue
        if about["solution"] and cell.cell_type == "code":
            cell.source = clear_solution(cell.source)
            cell.outputs, cell.execution_count = [], None  # nbval does not compare what was never run
        elif about["solution"]:
            cell.source = WRITE_HERE
        else:
            cell.metadata["editable"] = False
        cell.metadata["deletable"] = False
        about |= {"checksum": checksum(cell), "cell_type": cell.cell_type}
    return nbformat.from_dict(released)

"""What a student handed in: read with distrust, and merged into the release.

Of a submission only the source of its answer cells counts. Everything else comes from the release: the
set-up, the checks, their reference outputs, the points. So nothing that a student changes there, by accident
or not, matters.
"""

import copy
import json
import re
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode

from gm_lab.grading.assignment import WRITE_HERE, clear_solution, grading, question_of

LARGEST = 20_000_000  # bytes of a file
MOST_CELLS = 2_000
LONGEST = 200_000  # characters of a cell
# Comments by which a cell could tell nbval not to look at it, wherever they stand, docstrings included.
NBVAL_COMMENT = re.compile(r"(\s*#+\s*)(NBVAL|PYTEST_VALIDATE)_\w+(\s*)")


class BadSubmission(ValueError):
    """A file that is no notebook; the message says why, in words for the student."""


@dataclass
class Cell:
    """What is taken from a cell that a student handed in."""

    kind: str
    source: str
    grade_id: str | None
    cell_id: str | None


@dataclass
class Answers:
    """The answers of a submission, by the grade_id of the release's cell, and what a student should know."""

    sources: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(raw: bytes) -> list[Cell]:
    """Return the cells of a notebook file, whatever its version and however damaged.

    Raises BadSubmission if there are no cells to be had.
    """
    if len(raw) > LARGEST:
        raise BadSubmission(
            f"the file has {len(raw) / 1e6:.0f} MB, at most {LARGEST / 1e6:.0f}: clear its outputs"
        )
    if not raw.strip():
        raise BadSubmission("the file is empty")
    try:
        notebook = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadSubmission("the file is not UTF-8 text; save it with Jupyter") from None
    except RecursionError:
        raise BadSubmission("the file is no notebook: it is nested too deeply") from None
    except ValueError as error:
        conflict = "; it holds the markers of an unfinished merge" if b"<<<<<<<" in raw else ""
        raise BadSubmission(f"the file is no notebook: it is not valid JSON ({error}){conflict}") from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise BadSubmission("the file is no notebook: it has no nbformat")
    if notebook["nbformat"] < 4:
        try:
            notebook = nbformat.convert(nbformat.reader.reads(json.dumps(notebook)), 4)
        except Exception as error:  # the converter raises whatever a damaged file makes it stumble over
            raise BadSubmission(
                f"the notebook's format is too old to convert ({type(error).__name__})"
            ) from None
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise BadSubmission("the file is no notebook: it has no cells")
    if len(cells) > MOST_CELLS:
        raise BadSubmission(f"the notebook has {len(cells)} cells, at most {MOST_CELLS}")
    return [read_cell(cell) for cell in cells if isinstance(cell, dict)]


def read_cell(cell: dict) -> Cell:
    """Return what counts of a cell; what has the wrong type is as good as missing."""
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str) or len(source) > LONGEST:
        source = ""
    source = source.encode("utf-8", "replace").decode().replace("\0", "")
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    about = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    names = (about.get("grade_id"), cell.get("id"))
    return Cell(
        str(cell.get("cell_type")), source, *(name if isinstance(name, str) else None for name in names)
    )


def answers(release: NotebookNode, cells: list[Cell]) -> Answers:
    """Return the answers of a submission to the answer cells of a release.

    A cell answers if it has the grade_id, or has lost it but kept the cell's id. Several cells with the same
    grade_id, as splitting a cell leaves them, are all part of the answer, in their order.
    """
    found = Answers()
    known = {grading(cell)["grade_id"]: cell for cell in release.cells if grading(cell)}
    by_cell_id = {cell["id"]: name for name, cell in known.items() if "id" in cell}
    released = {cell.source.strip() for cell in release.cells}
    own = 0
    for cell in cells:
        name = cell.grade_id if cell.grade_id in known else by_cell_id.get(cell.cell_id)
        if name is None:
            own += cell.kind == "code" and cell.source.strip() not in released | {""}
        elif not grading(known[name])["solution"]:
            if cell.source != known[name].source:
                found.notes.append(f"{name} was changed; the original is used")
        elif cell.kind != known[name].cell_type:
            kind = "text" if cell.kind != "code" else "code"
            found.notes.append(
                f"the answer {name} became a {kind} cell, which is not read: change its type back"
            )
        elif is_answered(known[name], cell.source):
            source = without_nbval_comments(cell.source)
            if source != cell.source:
                found.notes.append(f"{name}: comments to nbval were taken out")
            found.sources.setdefault(name, []).append(source)
    present = {cell.grade_id for cell in cells} | {by_cell_id.get(cell.cell_id) for cell in cells}
    for name, cell in known.items():
        if grading(cell)["solution"] and name not in present:
            found.notes.append(f"the answer cell {name} is missing")
    for name, sources in found.sources.items():
        if len(sources) > 1:
            found.notes.append(f"{name} is answered in {len(sources)} cells, which are run in their order")
    if own:
        found.notes.append(
            f"{own} cells of your own were not run: what an answer needs belongs into its cell"
        )
    return found


def without_nbval_comments(source: str) -> str:
    """Return a cell without the comments that nbval obeys, whatever breaks its lines."""
    lines = source.splitlines(keepends=True)
    found = [NBVAL_COMMENT.fullmatch(line) for line in lines]
    return "".join(
        f"{match[1]}(taken out){match[3]}" if match else line
        for match, line in zip(found, lines, strict=True)
    )


def is_answered(released: NotebookNode, source: str) -> bool:
    """Tell whether an answer cell holds more than the release's stub."""
    stub = clear_solution(released.source) if released.cell_type == "code" else WRITE_HERE
    return source.strip() not in ("", released.source.strip(), stub.strip())


def merge(release: NotebookNode, found: Answers, only: str | None = None) -> NotebookNode:
    """Return the release with the answers in place of its stubs; with `only`, of one question alone."""
    cells = []
    for cell in release.cells:
        if only and question_of(cell) not in (None, only):
            continue
        sources = found.sources.get(grading(cell).get("grade_id"), [])
        for number, source in enumerate(sources or [cell.source]):
            answer = copy.deepcopy(cell)
            answer.source = source
            if number and "id" in cell:
                answer.id = f"{cell.id}-{number}"
            cells.append(answer)
    return NotebookNode({**release, "cells": cells})

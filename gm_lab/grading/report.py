"""The pages and tables of a course: one page a student, a summary, `course.csv`, and `written.csv` to fill in
by hand."""

import csv
import json
import math
import re
import statistics
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader

from gm_lab.grading.course import result_path
from gm_lab.grading.verdict import BLANK, Grade

BARS = 10
FEEDBACK = re.compile(
    r"(?P<text>.*?)\n +expected: (?P<expected>.*?)\n +got: +(?P<got>.*?)(?:\n +hint: +(?P<hint>.*))?$",
    re.DOTALL,
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that starts so
csv.field_size_limit(1 << 30)  # an answer may be longer than the module allows


@dataclass
class Mark:
    """What a person awards for a written answer, and says about it; None where the points are still open."""

    points: float | None
    comment: str = ""


def load_results(folder: Path) -> list[Grade]:
    """Return all stored results, by student. Raises ValueError if there are none."""
    grades = [
        Grade.from_dict(json.loads(path.read_text())["grade"]) for path in sorted(folder.glob("*.json"))
    ]
    if not grades:
        raise ValueError(f"{folder} holds no results: run gm-lab grade first")
    return sorted(grades, key=lambda grade: grade.student)


def read_marks(path: Path, grades: list[Grade]) -> dict[str, dict[str, Mark]]:
    """Return the marks in a filled-in `written.csv`, by student and question; a line without points is not
    marked yet.

    Raises ValueError for an unknown student or question, and for points that are no number between 0 and the
    most.
    """
    possible = {
        (g.student, v.name): v.written_possible for g in grades for v in g.verdicts if v.written_possible
    }
    failed = {
        grade.student for grade in grades if grade.error
    }  # what was asked is not known, but marks are kept
    marks = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            student, question, points, comment = (
                from_cell(row.get(name) or "") for name in ("student", "question", "points", "comment")
            )
            most = possible.get((student, question), math.inf if student in failed else None)
            if most is None:
                raise ValueError(
                    f"{path.name}, line {number}: no written answer of {student!r} to {question!r}"
                )
            if points.strip() or comment:
                given = to_points(points, most, f"{path.name}, line {number}") if points.strip() else None
                marks.setdefault(student, {})[question] = Mark(given, comment)
    return marks


def to_points(text: str, most: float, place: str) -> float:
    """Return points from a table; raise ValueError if they are no number between 0 and the most there are."""
    try:
        points = float(text)
    except ValueError:
        points = -1
    if not (math.isfinite(points) and 0 <= points <= most):
        raise ValueError(f"{place}: points must lie in [0, {most:g}], got {text!r}")
    return points


def total(marks: dict[str, Mark]) -> float | None:
    """Return what a person awarded to one student, or None if nothing yet."""
    given = [mark.points for mark in marks.values() if mark.points is not None]
    return sum(given) if given else None


def write_report(
    name: str, grades: list[Grade], folder: Path, marks: dict[str, dict[str, Mark]] | None = None
) -> None:
    """Write everything for one assignment into a folder. Pages of students without a grade are deleted.

    Args:
        name: of the assignment.
        grades: one for each student.
        folder: where the pages and tables go: `index.html`, `students/`, `course.csv`, `written.csv`.
        marks: what a person awarded, by student and question.
    """
    marks = marks or {}
    environment = Environment(loader=PackageLoader("gm_lab.grading"), autoescape=True, trim_blocks=True)
    environment.filters |= {"points": lambda value: f"{round(value, 2):g}", "feedback": split_feedback}
    pages = folder / "students"
    pages.mkdir(parents=True, exist_ok=True)
    for stale in pages.glob("*.html"):
        stale.unlink()
    rows = []
    for grade in grades:
        given = marks.get(grade.student, {})
        by_hand = sum(verdict.written_possible for verdict in grade.verdicts)
        hand_points = "" if total(given) is None else f"{total(given):g}"
        page = result_path(pages, grade.student).with_suffix(".html")
        html = environment.get_template("student.html").render(
            assignment=name, grade=grade, marks=given, by_hand=by_hand, hand_points=hand_points
        )
        page.write_text(html, "utf-8", "replace")
        link = quote(f"students/{page.name}")
        rows.append({"grade": grade, "page": link, "hand_points": hand_points, "by_hand": by_hand})
    judged = [grade for grade in grades if not grade.error]
    totals = [grade.points for grade in judged]
    html = environment.get_template("course.html").render(
        assignment=name,
        grades=grades,
        rows=rows,
        failed=len(grades) - len(judged),
        hardest=hardest(judged),
        histogram=histogram(judged),
        possible=judged[0].possible if judged else 0,
        by_hand=any(row["by_hand"] for row in rows),
        mean=statistics.fmean(totals) if totals else 0,
        median=statistics.median(totals) if totals else 0,
    )
    (folder / "index.html").write_text(html, "utf-8", "replace")
    write_course_table(folder / "course.csv", grades, marks)
    write_written_table(folder / "written.csv", grades, marks)


def split_feedback(text: str) -> dict:
    """Return the parts of a check's message, `expected`, `got` and `hint`, apart from the rest."""
    found = FEEDBACK.fullmatch(text.removeprefix("WrongAnswer: "))
    return found.groupdict() if found else {"text": text}


def hardest(grades: list[Grade]) -> list[dict]:
    """Return how each question went, the one with the fewest right answers first."""
    questions = {}
    for grade in grades:
        for verdict in grade.verdicts:
            if verdict.possible:
                questions.setdefault(verdict.name, []).append(verdict)
    return sorted(
        (
            {
                "title": verdicts[0].title or name,
                "right": statistics.fmean(verdict.right for verdict in verdicts),
                "answered": statistics.fmean(verdict.feedback != BLANK for verdict in verdicts),
                "mean": statistics.fmean(verdict.points for verdict in verdicts),
                "possible": verdicts[0].possible,
            }
            for name, verdicts in questions.items()
        ),
        key=lambda question: question["right"],
    )


def histogram(grades: list[Grade]) -> dict:
    """Return the bars of a histogram of points, in the units of an SVG of 160 in height."""
    possible = max((grade.possible for grade in grades), default=0)
    counts = [0] * BARS if possible else []
    for grade in grades if possible else []:
        counts[min(BARS - 1, int(BARS * grade.points / possible))] += 1
    bars = [
        {
            "label": f"{i * possible / BARS:.3g}–{(i + 1) * possible / BARS:.3g}",
            "count": count, "x": 64 * i, "width": 56, "height": round(100 * count / max(counts), 1),
        }
        for i, count in enumerate(counts)
    ]  # fmt: skip
    return {"counts": counts, "bars": bars, "width": 64 * BARS}


def write_course_table(path: Path, grades: list[Grade], marks: dict) -> None:
    """Write one line a student: total, points of each question, what a person awarded, and the state."""
    names = sorted(
        {verdict.name for grade in grades for verdict in grade.verdicts if verdict.possible}, key=in_order
    )
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        table = csv.writer(file)
        table.writerow(["student", "points", "possible", *names, "written", "state"])
        for grade in grades:
            points = {verdict.name: verdict.points for verdict in grade.verdicts}
            written = total(marks.get(grade.student, {}))
            state = "grader error" if grade.error else "unreadable" if grade.unreadable else "graded"
            sums = ["", ""] if grade.error else [grade.points, grade.possible]
            cells = [points.get(name, "") for name in names]
            table.writerow([to_cell(grade.student), *sums, *cells, "" if written is None else written, state])


def write_written_table(path: Path, grades: list[Grade], marks: dict) -> None:
    """Write one line for each written answer, with the marks there are, to be filled in by a person."""
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        table = csv.writer(file)
        table.writerow(["student", "question", "most", "points", "comment", "answer"])
        for grade in grades:
            asked = {verdict.name: verdict for verdict in grade.verdicts if verdict.written_possible}
            given = marks.get(grade.student, {})
            for name in given if grade.error else asked:
                mark, verdict = given.get(name, Mark(None)), asked.get(name)
                most, answer = (verdict.written_possible, verdict.written) if verdict else ("", "")
                points = "" if mark.points is None else mark.points
                table.writerow(
                    [to_cell(grade.student), name, most, points, to_cell(mark.comment), to_cell(answer)]
                )


def in_order(name: str) -> tuple:
    """Sort q2 before q10."""
    return (int(re.search(r"\d+", name)[0]), name)


def to_cell(text: str) -> str:
    """Return text as a table may hold it: a spreadsheet must not take it for a formula."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def from_cell(text: str) -> str:
    """Undo `to_cell`."""
    return text[1:] if text[:1] == "'" and text.lstrip("'").startswith(FORMULA) else text

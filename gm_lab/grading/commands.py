"""The commands `gm-lab release`, `check`, `grade` and `report`. What they need is imported when they run."""

import contextlib
import json
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

WRONG, NOT_JUDGED = 1, 2  # exit codes; 0 is "all right"
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else.")]
CellSeconds = Annotated[float, typer.Option(min=0.1, help="How long one cell may run.")]
Notebook = typer.Argument(exists=True, dir_okay=False, readable=True)
Folder = typer.Argument(exists=True, file_okay=False, readable=True)


class Sandbox(str, Enum):
    """Where students' code runs."""

    auto = "auto"
    bubblewrap = "bubblewrap"
    limits = "limits"


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn what a command cannot do into one line and the exit code for it."""
    try:
        yield
    except ModuleNotFoundError as error:
        install = "in a copy of the book's repository, run: pip install -e '.[grading]'"
        typer.echo(f"{error.name} is not installed; {install}", err=True)
    except (OSError, ValueError, RuntimeError) as error:
        typer.echo(f"gm-lab: {error}", err=True)
    else:
        return
    raise typer.Exit(NOT_JUDGED)


def release(
    sources: Annotated[list[Path], Notebook],
    to: Annotated[Path, typer.Option(file_okay=False, help="The folder to write to.")] = Path("."),
    as_json: Json = False,
) -> None:
    """Make what students get: solutions cleared, hidden checks dropped, reference outputs of the checks kept.

    The sources are notebooks in nbgrader's format, run and saved. Nothing is written if one of them has a
    fault.
    """
    with refusals():
        import nbformat

        from gm_lab.grading.verdict import Assignment

        loaded = {}
        for path in sources:
            try:
                loaded[path] = Assignment.load(path).release
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            if (to / path.name).resolve() == path.resolve():
                raise ValueError(f"{path} would be overwritten by its release: name another folder with --to")
        to.mkdir(parents=True, exist_ok=True)
        for path, notebook in loaded.items():
            nbformat.write(notebook, to / path.name)
    written = [str(to / path.name) for path in sources]
    typer.echo(json.dumps({"released": written}) if as_json else "\n".join(written))


def check(
    notebook: Annotated[Path, Notebook],
    release: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The assignment as it was given out.")
    ] = None,
    cell_seconds: CellSeconds = 120,
    as_json: Json = False,
) -> None:
    """Say which of your answers are right, and what is wrong with the others.

    Only the answer cells of your notebook count: they are put into a fresh copy of the assignment, which
    nbval runs and compares. Changed checks and stored outputs do not matter. Exit code 0: all right; 1: not
    yet; 2: could not be judged.
    """
    with refusals():
        import nbformat

        from gm_lab.grading.validate import find_release, validate

        raw = notebook.read_bytes()
        release = release or find_release(raw)
        verdicts, notes = validate(nbformat.read(release, as_version=4), raw, cell_seconds)
    right = all(verdict.right for verdict in verdicts)
    if as_json:
        questions = [
            {
                "name": verdict.name,
                "title": verdict.title,
                "right": verdict.right,
                "feedback": verdict.feedback,
            }
            for verdict in verdicts
            if verdict.possible
        ]
        typer.echo(
            json.dumps({"assignment": release.stem, "right": right, "notes": notes, "questions": questions})
        )
    else:
        typer.echo(release.stem)
        for verdict in verdicts:
            typer.echo(f"\n{verdict.title or verdict.name}")
            if verdict.possible:
                typer.echo("  right" if verdict.right else "  not right yet")
            if verdict.written_possible:
                typer.echo("  written, to be read by a person" if verdict.written else "  to be written")
            for line in verdict.feedback.splitlines():
                typer.echo(f"    {line}")
        for note in notes:
            typer.echo(f"\nNote: {note}.")
    raise typer.Exit(0 if right else WRONG)


def grade(
    source: Annotated[Path, Notebook],
    folder: Annotated[Path, Folder],
    results: Annotated[Path, typer.Option(file_okay=False, help="The folder for results and pages.")] = Path(
        "results"
    ),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="How many at a time; default: one for each core.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="The address of a Dask scheduler to use instead.")
    ] = None,
    sandbox: Annotated[
        Sandbox, typer.Option(help="Where students' code runs; auto: the safest there is.")
    ] = Sandbox.auto,
    cell_seconds: CellSeconds = 60,
    memory: Annotated[float, typer.Option(min=1, help="GB of memory for each submission.")] = 4,
    again: Annotated[bool, typer.Option("--again", help="Grade all, also what was graded before.")] = False,
    as_json: Json = False,
) -> None:
    """Grade a folder of submissions against the source of the assignment, hidden checks included.

    The folder holds STUDENT.ipynb or STUDENT/ASSIGNMENT.ipynb. Each result is stored as soon as it is there:
    stop with Ctrl-C, start again, and only what is missing, failed or has changed is graded. At the end the
    report is written, on all results that are stored. Exit code 0: all submissions are right; 1: some answers
    are wrong; 2: some could not be judged.
    """
    with refusals():
        from tqdm import tqdm

        from gm_lab.grading.course import grade_course, submissions
        from gm_lab.grading.report import load_results, write_report
        from gm_lab.grading.sandbox import Limits, choose_mode
        from gm_lab.grading.verdict import Assignment

        assignment = Assignment.load(source)
        handed_in = submissions(folder, source.stem)
        total = 5 * cell_seconds
        limits = Limits(cell_seconds, total, cpu_seconds=int(total) + 1, memory=int(memory * 2**30))
        mode = sandbox.value if scheduler and sandbox != Sandbox.auto else choose_mode(sandbox.value, limits)
        stored = results / source.stem
        marks = marks_in(stored, None)
        done = grade_course(assignment, handed_in, stored / "grades", mode, limits, jobs, scheduler, again)
        grades = [
            result
            for result, _ in tqdm(
                done, total=len(handed_in), unit="submission", disable=as_json or not sys.stderr.isatty()
            )
        ]
        grades.sort(key=lambda result: result.student)
        write_report(source.stem, load_results(stored / "grades"), stored, marks)
    tell(grades, stored, as_json)


def report(
    results: Annotated[Path, Folder],
    written: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="A filled-in written.csv; default: the one in the folder."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the pages and tables again, with the points that you gave to written answers in written.csv.

    RESULTS is the folder of one assignment, as `gm-lab grade` made it. Exit codes are those of `gm-lab
    grade`.
    """
    with refusals():
        from gm_lab.grading.report import load_results, write_report

        grades = load_results(results / "grades")
        write_report(results.resolve().name, grades, results, marks_in(results, written, grades))
    tell(grades, results, as_json)


def marks_in(results: Path, written: Path | None, grades=None) -> dict:
    """Return the marks that stand in a filled-in table, or in the one that an earlier run left in the
    folder."""
    from gm_lab.grading.report import load_results, read_marks

    path = written or results / "written.csv"
    if not path.exists():
        return {}
    return read_marks(path, load_results(results / "grades") if grades is None else grades)


def tell(grades: list, results: Path, as_json: bool) -> None:
    """Say how it went, and exit with the code that says it, too."""
    failed = [grade for grade in grades if grade.error]
    right = sum(grade.right for grade in grades)
    if as_json:
        summary = [
            {"student": grade.student, "points": grade.points, "possible": grade.possible,
             "unreadable": grade.unreadable, "error": grade.error} for grade in grades
        ]  # fmt: skip
        typer.echo(json.dumps({"results": str(results), "grades": summary}))
    else:
        typer.echo(f"{len(grades)} submissions, {right} of them all right, {len(failed)} not graded")
        for grade in failed:
            typer.echo(f"  {grade.student}: grader error: {grade.error}", err=True)
        typer.echo(f"{results / 'index.html'}\n{results / 'course.csv'}")
        if any(verdict.written_possible for grade in grades for verdict in grade.verdicts):
            typer.echo(
                f"{results / 'written.csv'}: fill in the points for written answers, then run gm-lab report"
            )
    raise typer.Exit(NOT_JUDGED if failed else 0 if right == len(grades) else WRONG)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the gm-lab command."""
    for command in (release, check, grade, report):
        app.command()(command)

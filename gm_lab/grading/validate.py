"""What `gm-lab check` does for students: the merge of their answers with the release, validated by nbval.

It runs on the student's own machine, without a sandbox and without hidden checks. The visible checks decide.
"""

import contextlib
import io
import tempfile
import time
from functools import partial
from pathlib import Path
from queue import Empty

import nbformat
import pytest
from nbformat import NotebookNode

from gm_lab.grading.assignment import grading, question_of, questions
from gm_lab.grading.sandbox import GraderError
from gm_lab.grading.submission import answers, merge, read
from gm_lab.grading.verdict import Verdict, blank, filled, readable

RELEASES = Path(__file__).parent / "releases"
STARTUP_SECONDS = 120


def find_release(raw: bytes) -> Path:
    """Return the release that comes with this package and shares most cells with a notebook.

    Raises BadSubmission if the file is no notebook, ValueError if it comes from none of the releases.
    """
    sources = {cell.source.strip() for cell in read(raw) if cell.kind == "code"}

    def shared(path):
        cells = nbformat.read(path, as_version=4).cells
        return sum(cell.source.strip() in sources for cell in cells if question_of(cell))

    known = sorted(RELEASES.glob("*.ipynb"))
    best = max(known, key=shared, default=None)
    if best is None or shared(best) == 0:
        raise ValueError(
            f"this notebook is none of {', '.join(path.stem for path in known)}; name its --release"
        )
    return best


def validate(release: NotebookNode, raw: bytes, cell_seconds: float) -> tuple[list[Verdict], list[str]]:
    """Return a verdict on each question, without points, and what the student should know.

    Args:
        release: the assignment as it was given out.
        raw: the content of the student's file.
        cell_seconds: how long a cell may run.

    Raises:
        BadSubmission: the file is no notebook.
        GraderError: nbval could not run the set-up of the release.
    """
    found = answers(release, read(raw))
    asked = questions(release)
    answered = [question for question in asked if filled(question.answers, found)]
    complaints = {}
    if answered:
        together = run_nbval({"all": merge(release, found)}, cell_seconds)["all"]
        complaints = {question.name: complaint_about(question, together) for question in answered}
    wrong = [name for name, complaint in complaints.items() if complaint]
    if wrong and len(answered) > 1:  # again, each for itself: another answer may be to blame
        apart = run_nbval({name: merge(release, found, only=name) for name in wrong}, cell_seconds)
        complaints |= {q.name: complaint_about(q, apart[q.name]) for q in answered if q.name in wrong}
    verdicts = []
    for question in asked:
        verdict = blank(question, found)
        if question in answered:
            complaint = complaints[question.name]
            verdict.right, verdict.feedback = not complaint, readable(complaint)
        verdicts.append(verdict)
    return verdicts, found.notes


def complaint_about(question, results: dict[str, str]) -> str:
    """Return what nbval has against a question; the answer's own error says more than the check's."""
    checks = [grading(cell)["grade_id"] for cell in question.visible]
    names = [grading(cell)["grade_id"] for cell in question.answers] + checks
    said = [results[name] for name in names if results.get(name)]
    return said[0] if any(results[name] for name in checks) else ""


def run_nbval(notebooks: dict[str, NotebookNode], cell_seconds: float) -> dict[str, dict[str, str]]:
    """Run notebooks under nbval; return what it says of their cells, by grade_id, "" where they pass."""
    with tempfile.TemporaryDirectory(prefix="gm-lab-") as folder:
        for name, notebook in notebooks.items():
            nbformat.write(notebook, Path(folder, f"{name}.ipynb"))
        Path(folder, "pytest.ini").touch()  # or pytest would look for one in the folders above
        options = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={cell_seconds}"]
        options += [f"--nbval-kernel-startup-timeout={STARTUP_SECONDS}", "-q", "--color=no"]
        options += ["-p", "no:cacheprovider", "-p", "no:xdist"]
        collector = Results()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            pytest.main([*options, folder], plugins=[collector])
    results = {}
    for name in notebooks:
        cells = collector.cells.get(name, [])
        if not cells:
            raise GraderError(f"nbval ran nothing: {collector.problem or 'no cell was collected'}")
        setup = [said for cell, said in cells if question_of(cell) is None and said]
        if setup:
            raise GraderError(f"the set-up of the assignment fails:\n{readable(setup[0])}")
        results[name] = {}
        for cell, said in cells:
            grade_id = grading(cell).get("grade_id")
            results[name][grade_id] = results[name].get(grade_id) or said
    return results


class Results:
    """A pytest plugin that keeps what nbval says of each cell; after a time-out none counts as passed."""

    def __init__(self):
        self.cells: dict[str, list[tuple[NotebookNode, str]]] = {}
        self.problem = ""

    def pytest_runtest_call(self, item):
        item.parent.kernel.get_message = partial(get_message, item.parent.kernel)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.when == "call" or (call.when == "setup" and call.excinfo):
            late = item.parent.timed_out and not call.excinfo
            said = "not run: a cell before it ran for too long" if late else ""
            if call.excinfo:
                said = explain(call.excinfo.value)
            self.cells.setdefault(item.path.stem, []).append((item.cell, said))
        return report

    def pytest_collectreport(self, report):
        if report.failed:
            self.problem = str(report.longrepr)


def get_message(kernel, stream: str, timeout: float | None = None) -> dict:
    """Wait for a message of a kernel, as nbval's own method does, but no longer than the kernel lives."""
    deadline = time.monotonic() + (timeout or STARTUP_SECONDS)
    while True:
        try:
            return type(kernel).get_message(
                kernel, stream, timeout=min(1.0, max(0.0, deadline - time.monotonic()))
            )
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("it ended the kernel: an exit, a crash, or a limit on memory") from None
            if time.monotonic() >= deadline:
                raise


def explain(error: BaseException) -> str:
    """Return what nbval raised, in words for the student: the end of a traceback, or its message."""
    traceback = getattr(error, "inner_traceback", None) or ""
    if "exception" in str(error) and traceback.strip():
        return readable(traceback).strip().split("\n\n")[-1]
    return "\n".join(filter(None, [str(error), readable(traceback).strip()]))

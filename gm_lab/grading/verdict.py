"""From a submission to points: run its answers, compare what the checks print, and say what went wrong.

The answers run from top to bottom in one kernel, the hidden checks last. A question that is not right then is
given a kernel of its own, with the set-up and nothing else, and counts if it is right there: so a bad answer
spoils no other one. What the student gets to read is collected before the first hidden check enters a kernel,
or is written here.
"""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gm_lab.grading.assignment import Question, grading, question_of, questions, release
from gm_lab.grading.checks import MARK, near
from gm_lab.grading.kernel import Kernel, Output, Stopped
from gm_lab.grading.sandbox import GraderError, Limits
from gm_lab.grading.submission import Answers, BadSubmission, answers, read

TOLERANCE = 1e-4
TRIES = 2  # for what is not the student's doing
LONGEST_FEEDBACK = 2_000  # characters
CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
BLANK = "not answered"
HIDDEN_WRONG = "The visible check passes, but the answer is wrong for other inputs, which are not shown."


@dataclass
class Verdict:
    """One question of one submission."""

    name: str
    title: str
    points: float
    possible: float
    written_possible: float = 0  # what a person awards
    written: str = ""  # the text to read
    right: bool = False
    feedback: str = ""


@dataclass
class Grade:
    """One submission. `error`: why it could not be judged. `unreadable`: why it is worth no points."""

    student: str
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unreadable: str = ""
    error: str = ""

    @property
    def points(self) -> float:
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def possible(self) -> float:
        return sum(verdict.possible for verdict in self.verdicts)

    @property
    def right(self) -> bool:
        """Whether everything that a machine can judge is right."""
        return not self.error and not self.unreadable and all(verdict.right for verdict in self.verdicts)

    def to_dict(self) -> dict:
        """Return it as it is stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict) -> "Grade":
        """Return what `to_dict` stored."""
        return cls(**{**stored, "verdicts": [Verdict(**verdict) for verdict in stored["verdicts"]]})


@dataclass
class Outcome:
    """What a run showed of one question: which of its checks pass, and what the student may read about it."""

    passed: set[str] = field(default_factory=set)  # grade_ids
    feedback: str = ""


class Assignment:
    """The source of an assignment, ready to grade submissions.

    Raises ValueError for a source that cannot be released, or whose checks were not run.
    """

    def __init__(self, source: NotebookNode):
        self.source, self.release = source, release(source)
        self.questions = questions(source)
        self.setup = [cell for cell in source.cells if cell.cell_type == "code" and question_of(cell) is None]
        for question in self.questions:
            for cell in question.visible + question.hidden:
                if not check_outputs(cell):
                    raise ValueError(
                        f"{grading(cell)['grade_id']} has no output of a check: run the source and save it"
                    )

    @classmethod
    def load(cls, path: Path) -> "Assignment":
        """Return the assignment whose source is the notebook at `path`."""
        return cls(nbformat.read(path, as_version=4))


def check_outputs(cell: NotebookNode) -> list[str]:
    """Return what `check` and `record` displayed when the cell was run."""
    shown = [output for output in cell.get("outputs", []) if output.output_type == "display_data"]
    return [output.data["text/plain"] for output in shown if output.metadata == MARK]


def grade(assignment: Assignment, student: str, raw: bytes, mode: str, limits: Limits) -> Grade:
    """Grade one submission. Whatever it holds, this returns.

    Args:
        assignment: what was asked.
        student: whose submission it is.
        raw: the content of the file.
        mode: where the code runs, see `sandbox`.
        limits: what each kernel may use.
    """
    try:
        found = answers(assignment.release, read(raw))
    except BadSubmission as error:
        return ungraded(assignment, student, error)
    for _ in range(TRIES):
        try:
            return Grade(student, judge(assignment, found, mode, limits), found.notes)
        except GraderError as error:
            failure = str(error)
    return Grade(student, notes=found.notes, error=failure)


def ungraded(assignment: Assignment, student: str, error: Exception) -> Grade:
    """Return the grade for a file that holds no answers, or that the grader could not open."""
    if isinstance(error, BadSubmission):
        verdicts = [blank(question, Answers()) for question in assignment.questions]
        return Grade(student, verdicts, unreadable=str(error))
    return Grade(student, error=f"the file cannot be read: {error}")


def blank(question: Question, found: Answers) -> Verdict:
    """Return the verdict on a question without code; where only a person judges, nothing is wrong."""
    by_hand, written = not question.answers, "\n\n".join(filled(question.written, found))
    points = 0, question.points, question.written_points
    return Verdict(question.name, question.title, *points, written, by_hand, "" if by_hand else BLANK)


def judge(assignment: Assignment, found: Answers, mode: str, limits: Limits) -> list[Verdict]:
    """Return a verdict on each question."""
    answered = [question for question in assignment.questions if filled(question.answers, found)]
    outcomes = run(assignment, answered, found, mode, limits) if answered else {}
    for question in answered:
        checks = {grading(cell)["grade_id"] for cell in question.visible + question.hidden}
        if outcomes[question.name].passed != checks and len(answered) > 1:
            alone = run(assignment, [question], found, mode, limits)[question.name]
            if awarded(question, alone) >= awarded(question, outcomes[question.name]):
                outcomes[question.name] = alone
    verdicts = []
    for question in assignment.questions:
        verdict = blank(question, found)
        if question in answered:
            outcome = outcomes[question.name]
            verdict.points = awarded(question, outcome)
            verdict.right = verdict.points == verdict.possible
            verdict.feedback = "" if verdict.right else readable(outcome.feedback or HIDDEN_WRONG)
        verdicts.append(verdict)
    return verdicts


def filled(cells: list[NotebookNode], found: Answers) -> list[str]:
    """Return what the student wrote into some answer cells of the release."""
    return [source for cell in cells for source in found.sources.get(grading(cell)["grade_id"], [])]


def awarded(question: Question, outcome: Outcome) -> float:
    """Return the points: of the hidden checks that pass and, only if all do, of the visible ones."""
    hidden = [cell for cell in question.hidden if grading(cell)["grade_id"] in outcome.passed]
    visible = [cell for cell in question.visible if grading(cell)["grade_id"] in outcome.passed]
    counted = hidden + (visible if len(hidden) == len(question.hidden) else [])
    return sum(grading(cell)["points"] for cell in counted)


def run(
    assignment: Assignment, asked: list[Question], found: Answers, mode: str, limits: Limits
) -> dict[str, Outcome]:
    """Run the answers to some questions in one kernel, each with its visible check, then the hidden ones.

    Raises GraderError if the kernel does not start or the set-up fails, which is not the student's doing.
    """
    outcomes = {question.name: Outcome() for question in asked}
    with Kernel(mode, limits) as kernel:
        for cell in assignment.setup:
            try:
                error = kernel.run(cell.source).error
            except Stopped as stop:
                raise GraderError(f"the set-up was stopped: {stop}") from stop
            if error:
                raise GraderError(f"the set-up fails: {error}")
        question = None
        try:
            for question in asked:
                outcome = outcomes[question.name]
                for source in filled(question.answers, found):
                    error = kernel.run(source).error
                    outcome.feedback = outcome.feedback or error
                for cell in question.visible:
                    output = kernel.run(cell.source)
                    if passes(cell, output):
                        outcome.passed.add(grading(cell)["grade_id"])
                    else:
                        outcome.feedback = outcome.feedback or output.error or "the check did not finish"
            for question in asked:
                for cell in question.hidden:
                    if passes(cell, kernel.run(cell.source)):
                        outcomes[question.name].passed.add(grading(cell)["grade_id"])
        except Stopped as stop:
            outcomes[question.name].feedback = (
                outcomes[question.name].feedback or f"Your code did not finish: {stop}"
            )
    return outcomes


def passes(cell: NotebookNode, output: Output) -> bool:
    """Tell whether a check cell displayed what it displayed in the source, numbers within its tolerance."""
    expected, tolerance = check_outputs(cell), cell.metadata.get("tolerance", TOLERANCE)
    return (
        not output.error
        and len(expected) == len(output.checks)
        and all(close(*pair, tolerance) for pair in zip(expected, output.checks, strict=True))
    )


def close(expected: str, got: str, tolerance: float) -> bool:
    """Compare two texts word by word; numbers may differ by the tolerance, absolute or relative."""
    words, others = expected.split(), got.split()
    return len(words) == len(others) and all(map(lambda a, b: close_words(a, b, tolerance), words, others))


def close_words(expected: str, got: str, tolerance: float) -> bool:
    try:
        return expected == got or near(float(expected), float(got), tolerance)
    except ValueError:
        return False


def readable(text: str) -> str:
    """Return text from a kernel as it may be shown: without control characters, and not endless."""
    text = CONTROL.sub("", text)
    return text if len(text) <= LONGEST_FEEDBACK else text[:LONGEST_FEEDBACK] + " …"

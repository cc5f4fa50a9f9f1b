"""`gm-lab check`: the merge under nbval, with the grader's verdict wherever only visible checks decide."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from gm_lab.grading.validate import RELEASES, find_release
from tests.grading.submissions import TABLE
from tests.grading.toy import WRONG_KL, cell_of, dump, fill

GM_LAB = Path(sys.executable).with_name("gm-lab")


def check(folder, blank, submission: bytes, *options):
    """Run the command; returns its exit code and what it said."""
    nbformat.write(blank, folder / "release.ipynb")
    (folder / "mine.ipynb").write_bytes(submission)
    words = [GM_LAB, "check", folder / "mine.ipynb", "--release", folder / "release.ipynb", *options]
    done = subprocess.run([*map(str, words)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def judged(folder, blank, submission: bytes) -> dict[str, dict]:
    """The questions, as `--json` reports them."""
    code, said = check(folder, blank, submission, "--json", "--cell-seconds", "15")
    result = json.loads(said)
    assert code == (0 if result["right"] else 1)
    return {question["name"]: question for question in result["questions"]}


# Without what only a hidden check finds, and without attacks on the machine, which is the student's own here.
AS_FOR_THE_GRADER = [
    "right", "blank", "half", "float64", "prints and warnings", "syntax error", "not a number", "wrong shape",
    "None", "question 1 deletes what question 2 needs", "sys.exit", "os._exit", "endless loop in a function",
    "input", "comments to nbval", "tags for nbval",
    "edited checks, forged outputs, nulled counts, inflated points",
    "edited checks, right answers", "flipped flags", "check deleted", "answer deleted", "split answer",
    "duplicate answers", "answer turned into Markdown", "metadata lost", "helper cells added", "old nbformat",
]  # fmt: skip


@pytest.mark.sandbox
@pytest.mark.parametrize("name", AS_FOR_THE_GRADER)
def test_the_verdict_is_the_graders(name, blank, tmp_path):
    build, points = TABLE[name]
    release = copy.deepcopy(blank)
    questions = judged(tmp_path, release, build(blank, {}))
    assert [question["right"] for question in questions.values()] == [value > 0 for value in points]
    assert all(question["right"] or question["feedback"] for question in questions.values())


@pytest.mark.sandbox
def test_a_wrong_answer_comes_with_what_was_expected_what_came_and_a_hint(blank, tmp_path):
    release = copy.deepcopy(blank)
    code, said = check(tmp_path, release, dump(fill(blank, q1=WRONG_KL)))
    assert code == 1
    for words in (
        "Question 1. KL\n  not right yet",
        "expected: 1.30685",
        "got:      2.61371",
        "hint:",
        "Question 2.",
    ):
        assert words in said
    assert "Traceback" not in said
    assert str(Path(__file__).parents[2]) not in said


@pytest.mark.sandbox
def test_a_written_answer_is_neither_right_nor_wrong(blank, tmp_path):
    release = copy.deepcopy(blank)
    cell_of(blank, "q4-explain").source = "Because."
    code, said = check(tmp_path, release, dump(fill(blank)))
    assert code == 0
    assert "written, to be read by a person" in said


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"", "empty"), (b"{", "not valid JSON"), (b'{"nbformat": 4}', "no cells")]
)
def test_what_is_no_notebook_cannot_be_judged(content, complaint, blank, tmp_path):
    code, said = check(tmp_path, blank, content)
    assert code == 2
    assert complaint in said


@pytest.mark.sandbox
def test_a_release_whose_set_up_fails_cannot_be_judged(blank, tmp_path):
    release = copy.deepcopy(blank)
    release.cells[1].source = "import no_such_module"
    code, said = check(tmp_path, release, dump(fill(blank)))
    assert code == 2
    assert "set-up" in said


@pytest.mark.parametrize("path", sorted(RELEASES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_release_is_found_by_what_is_in_the_notebook(path):
    notebook = nbformat.read(path, as_version=4)
    del notebook.cells[:4]
    for cell in notebook.cells:
        cell.metadata = {}
    assert find_release(dump(notebook)) == path


def test_a_notebook_of_another_kind_has_no_release(blank):
    for cell in blank.cells:
        cell.source = cell.source.replace("check", "inspect")
    with pytest.raises(ValueError, match="vae-1-elbo"):
        find_release(dump(blank))


ELSEWHERE = """
import os, signal, sys
import nbval.plugin, psutil, zmq
for module in ("resource", "fcntl", "pwd", "termios"):
    sys.modules[module] = None
for name in ("fork", "geteuid", "killpg", "sched_getaffinity", "setsid", "sysconf"):
    delattr(os, name)
del signal.SIGKILL
import gm_lab.grading.validate
"""


def test_students_can_check_on_systems_that_lack_what_only_linux_has():
    subprocess.run([sys.executable, "-c", ELSEWHERE], check=True)

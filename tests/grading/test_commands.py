"""The commands as they are typed: their exit codes, their messages, and what they leave behind."""

import copy
import csv
import json
import shutil

import nbformat
import pytest
from typer.testing import CliRunner

from gm_lab.cli import app
from gm_lab.grading import sandbox
from gm_lab.grading.sandbox import GraderError, Limits, choose_mode
from tests.grading.toy import WRONG_KL, cell_of, dump, fill


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture
def course(source, blank, tmp_path):
    """A source, and a folder with one right and one wrong submission."""
    nbformat.write(source, tmp_path / "toy.ipynb")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ada.ipynb").write_bytes(dump(fill(blank)))
    cell_of(blank, "q4-explain").source = "Noise <moves>."
    (tmp_path / "in" / "bob.ipynb").write_bytes(dump(fill(blank, q1=WRONG_KL)))
    return tmp_path


@pytest.mark.parametrize("command", ["release", "check", "grade", "report"])
def test_help_explains_every_option(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


def test_release_writes_what_students_get(course):
    result = run("release", course / "toy.ipynb", "--to", course / "out", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"released": [str(course / "out" / "toy.ipynb")]}
    text = (course / "out" / "toy.ipynb").read_text()
    assert "YOUR CODE HERE" in text
    assert "sesame" not in text
    assert "log_var.exp() - 1" not in text


def test_release_does_not_overwrite_a_source(course):
    before = (course / "toy.ipynb").read_text()
    result = run("release", course / "toy.ipynb", "--to", course)
    assert result.exit_code == 2
    assert "overwritten" in result.stderr
    assert (course / "toy.ipynb").read_text() == before


def test_release_writes_nothing_if_one_source_has_a_fault(course, source):
    broken = copy.deepcopy(source)
    cell_of(broken, "q2").metadata.nbgrader.grade_id = "q1"
    nbformat.write(broken, course / "broken.ipynb")
    result = run("release", course / "toy.ipynb", course / "broken.ipynb", "--to", course / "out")
    assert result.exit_code == 2
    assert "broken.ipynb: grade_id 'q1' stands on 2 cells" in result.stderr
    assert not (course / "out").exists()


@pytest.mark.sandbox
def test_a_whole_round(course, mode):
    results = course / "results" / "toy"
    result = run("grade", course / "toy.ipynb", course / "in", "--results", course / "results")
    assert result.exit_code == 1, result.stderr
    assert "2 submissions, 1 of them all right, 0 not graded" in result.stdout
    assert "sesame" not in "".join(path.read_text() for path in results.rglob("*.html"))

    with (results / "written.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1] |= {"points": "1.5", "comment": "Where does it move?"}
    with (results / "written.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    assert run("report", results).exit_code == 1
    assert run("grade", course / "toy.ipynb", course / "in", "--results", course / "results").exit_code == 1

    with (results / "course.csv").open(newline="") as file:
        ada, bob = csv.DictReader(file)
    assert (ada["points"], ada["written"], ada["state"]) == ("10", "", "graded")
    assert (bob["points"], bob["q1"], bob["written"], bob["state"]) == ("6", "0", "1.5", "graded")
    page = (results / "students" / "bob.html").read_text()
    for words in ("Where does it move?", "Noise &lt;moves&gt;.", "1.30685", "2.61371", "one half of it"):
        assert words in page

    # One who comes late is graded alone; nobody's results and marks are lost.
    (course / "late").mkdir()
    shutil.copy(course / "in" / "ada.ipynb", course / "late" / "zoe.ipynb")
    result = run("grade", course / "toy.ipynb", course / "late", "--results", course / "results")
    assert result.exit_code == 0, result.stderr
    assert "1 submissions, 1 of them all right" in result.stdout
    with (results / "course.csv").open(newline="") as file:
        written = {row["student"]: row["written"] for row in csv.DictReader(file)}
    assert written == {"ada": "", "bob": "1.5", "zoe": ""}


def test_marks_that_make_no_sense_change_nothing(course):
    results = course / "results"
    result = run("report", course / "in")
    assert result.exit_code == 2
    assert "run gm-lab grade first" in result.stderr
    assert not results.exists()


@pytest.mark.sandbox
def test_a_failure_of_the_grader_is_no_failure_of_the_student(course, source, mode):
    broken = copy.deepcopy(source)
    broken.cells[1].source = "import no_such_module"
    nbformat.write(broken, course / "toy.ipynb")
    result = run("grade", course / "toy.ipynb", course / "in", "--results", course / "results", "--json")
    assert result.exit_code == 2
    assert all("set-up fails" in grade["error"] for grade in json.loads(result.stdout)["grades"])
    assert "grader error" in (course / "results" / "toy" / "course.csv").read_text()

    nbformat.write(source, course / "toy.ipynb")
    assert run("grade", course / "toy.ipynb", course / "in", "--results", course / "results").exit_code == 1


def test_grading_an_empty_folder_or_a_source_that_was_not_run_is_refused(course, source):
    (course / "empty").mkdir()
    assert run("grade", course / "toy.ipynb", course / "empty").exit_code == 2
    unrun = copy.deepcopy(source)
    cell_of(unrun, "q1-hidden").outputs = []
    nbformat.write(unrun, course / "toy.ipynb")
    result = run("grade", course / "toy.ipynb", course / "in")
    assert result.exit_code == 2
    assert "q1-hidden has no output" in result.stderr


# Where students' code runs


def test_without_a_sandbox_root_grades_nobody(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 0)
    for wanted in ("auto", "limits"):
        with pytest.raises(GraderError, match="as root"):
            choose_mode(wanted, Limits())


def test_without_a_sandbox_the_warning_is_loud(monkeypatch, capsys):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 1000)
    assert choose_mode("auto", Limits()) == "limits"
    assert capsys.readouterr().err.count("WARNING") == 2
    with pytest.raises(GraderError, match="not installed"):
        choose_mode("bubblewrap", Limits())


def test_on_another_system_than_linux_nobody_is_graded(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    for wanted in ("auto", "bubblewrap", "limits"):
        with pytest.raises(GraderError, match="WSL 2"):
            choose_mode(wanted, Limits())


def test_a_bubblewrap_that_does_not_work_is_not_chosen(monkeypatch, tmp_path, capsys):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sandbox.os, "geteuid", lambda: 1000)
    assert choose_mode("auto", Limits()) == "limits"
    assert "No permissions to create new namespace" in capsys.readouterr().err


def test_a_python_below_the_temporary_folder_is_not_covered_by_it():
    command = sandbox.bubblewrap_command(Limits())
    assert command.index("--tmpfs") < command.index("--ro-bind")


def test_limits_must_be_positive():
    with pytest.raises(ValueError, match=r"memory must be positive, got 0"):
        Limits(memory=0)

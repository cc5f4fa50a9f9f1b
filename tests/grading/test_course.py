"""gm_lab.grading.course: what was handed in, where results lie, and which of them are used again."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook, new_output

import gm_lab
from gm_lab.grading.course import (
    Submission,
    fingerprint,
    grade_course,
    result_path,
    store,
    stored,
    submissions,
)
from gm_lab.grading.sandbox import Limits
from gm_lab.grading.submission import LARGEST, BadSubmission
from gm_lab.grading.verdict import Assignment, Grade, Verdict
from tests.grading.toy import cell_of, toy_cells

NAMES = [
    "ada", "Ada", "ada lovelace", "ada_lovelace", "ada.lovelace", "ada@example.org", ".ada", "..ada", "ada.",
    "..", ".", "...", "../x", "../../x", "/x", "x", "_x", ".._x", "a/b", "a_b", "a\\b", "a:b", "a\nb", "a\0b",
    "~", "-rf", "Zoë", "Zoe\u0308", "张三", "💥", "x.json", "x.part",
]  # fmt: skip


@pytest.fixture(scope="module")
def assignment():
    """The toy assignment with outputs below its checks, as if it had been run."""
    source = new_notebook(cells=toy_cells())
    for name in ("q1", "q2", "q3"):
        for part in ("check", "hidden"):
            shown = new_output("display_data", {"text/plain": f"right: {name}"}, metadata={"gm_lab": "check"})
            cell_of(source, f"{name}-{part}").outputs = [shown]
    return Assignment(source)


@pytest.fixture
def result():
    verdicts = [
        Verdict("q1", "KL", 1.5, 4, feedback="WrongAnswer: π\n  got: 'x'"),
        Verdict("q2", "", 3, 3, right=True),
        Verdict("q3", "", 0, 0, 2, "Because.", True),
    ]
    return Grade("Zoë", verdicts, ["a note"])


def hand_in(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(str(path).encode())


def found_in(folder, name="elbo"):
    """What was found: student to path below the folder."""
    found = submissions(folder, name)
    students = [submission.student for submission in found]
    assert len(set(students)) == len(students)
    return {submission.student: submission.path.relative_to(folder).as_posix() for submission in found}


def test_a_file_is_named_after_its_student(tmp_path):
    hand_in(tmp_path, "ada.ipynb", "bob.b.ipynb", "elbo.ipynb", "notes.txt")
    assert found_in(tmp_path) == {"ada": "ada.ipynb", "bob.b": "bob.b.ipynb", "elbo": "elbo.ipynb"}


def test_a_folder_is_named_after_its_student(tmp_path):
    hand_in(tmp_path, "ada/elbo.ipynb", "bob.b/elbo.ipynb", "group 1/eve/elbo.ipynb")
    assert found_in(tmp_path) == {
        "ada": "ada/elbo.ipynb",
        "bob.b": "bob.b/elbo.ipynb",
        "group 1/eve": "group 1/eve/elbo.ipynb",
    }


def test_a_file_with_another_name_in_a_students_folder_is_kept_apart(tmp_path):
    hand_in(tmp_path, "ada/elbo.ipynb", "ada/elbo (1).ipynb", "bob/elbo-final.ipynb")
    assert found_in(tmp_path) == {
        "ada": "ada/elbo.ipynb",
        "ada/elbo (1)": "ada/elbo (1).ipynb",
        "bob/elbo-final": "bob/elbo-final.ipynb",
    }


@pytest.mark.parametrize(
    "paths",
    [
        ["ada.ipynb", "ada/elbo.ipynb"],
        ["ada.ipynb", "ada/elbo.ipynb", "ada/elbo/elbo.ipynb", "ada/elbo (1).ipynb"],
        ["elbo.ipynb", "elbo/elbo.ipynb", "elbo/elbo/elbo.ipynb"],
    ],
)
def test_no_file_is_lost_when_a_student_hands_in_two_ways(tmp_path, paths):
    hand_in(tmp_path, *paths)
    assert sorted(found_in(tmp_path).values()) == sorted(paths)


def test_checkpoints_and_hidden_files_are_not_submissions(tmp_path):
    hand_in(tmp_path, "ada.ipynb", ".ipynb_checkpoints/bob-checkpoint.ipynb", ".eve.ipynb")
    hand_in(tmp_path, "ada/.ipynb_checkpoints/elbo.ipynb", ".cache/eve/elbo.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    assert found_in(tmp_path) == {"ada": "ada.ipynb"}


def test_a_folder_below_a_hidden_one_is_searched(tmp_path):
    hand_in(tmp_path, ".course/ada.ipynb")
    assert found_in(tmp_path / ".course") == {"ada": "ada.ipynb"}


@pytest.mark.parametrize("path", [None, "ada.txt", ".ipynb_checkpoints/ada.ipynb"])
def test_a_folder_without_submissions_is_refused(tmp_path, path):
    hand_in(tmp_path, *([path] if path else []))
    with pytest.raises(ValueError, match=r"holds no notebooks: expected STUDENT.ipynb or STUDENT/elbo.ipynb"):
        submissions(tmp_path, "elbo")


def test_file_names_that_are_no_utf8_become_names_that_can_be_written(tmp_path):
    for name in (b"Zo\xeb.ipynb", b"Zo\xec.ipynb"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    found = submissions(tmp_path, "elbo")
    assert len({submission.student.encode() for submission in found}) == 2
    assert len({result_path(tmp_path, submission.student) for submission in found}) == 2


def test_the_content_is_what_was_handed_in(tmp_path):
    hand_in(tmp_path, "ada.ipynb")
    assert Submission("ada", tmp_path / "ada.ipynb").content() == b"ada.ipynb"


def test_the_content_is_cut_off_one_byte_above_the_largest_file(tmp_path):
    with (tmp_path / "ada.ipynb").open("wb") as file:
        file.truncate(LARGEST + 1000)
    assert len(Submission("ada", tmp_path / "ada.ipynb").content()) == LARGEST + 1


def test_links_are_refused(tmp_path):
    hand_in(tmp_path, "key/elbo.ipynb", "course/eve.ipynb")
    (tmp_path / "course" / "ada.ipynb").symlink_to(tmp_path / "key" / "elbo.ipynb")
    (tmp_path / "course" / "bob.ipynb").symlink_to(tmp_path / "nowhere")
    (tmp_path / "course" / "mallory").symlink_to(tmp_path / "key")
    read = {}
    for submission in submissions(tmp_path / "course", "elbo"):
        try:
            read[submission.student] = submission.content()
        except BadSubmission as error:
            read[submission.student] = str(error)
    refused = "the file is a link to another one"
    assert read == {
        "ada": refused,
        "bob": refused,
        "eve": b"course/eve.ipynb",
    }  # mallory's folder is not entered


def test_files_that_hold_no_answers_are_judged_without_a_kernel(tmp_path, assignment):
    hand_in(tmp_path, "key/elbo.ipynb")
    link = tmp_path / "course" / "ada.ipynb"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "key" / "elbo.ipynb")
    gone = Submission("bob", tmp_path / "course" / "bob.ipynb")
    done = grade_course(assignment, [Submission("ada", link), gone], tmp_path / "grades", "none", Limits())
    (linked, reused), (failed, _) = list(done)
    assert (linked.unreadable, linked.error, reused) == ("the file is a link to another one", "", False)
    assert (linked.points, linked.possible, len(linked.verdicts)) == (0, 10, 4)
    assert failed.error.startswith("the file cannot be read: ")
    assert len(list((tmp_path / "grades").iterdir())) == 2


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leads_out_of_the_folder_of_results(tmp_path, name):
    path = result_path(tmp_path, name)
    assert path.resolve().parent == tmp_path
    assert path.suffix == ".json"
    assert not path.name.startswith(".")
    store(path, "key", Grade(name))
    assert stored(path, "key") == Grade(name)
    assert os.listdir(tmp_path) == [path.name]


def test_two_names_never_share_a_path():
    results = Path("results")
    paths = [result_path(results, name) for name in NAMES]
    assert len(set(paths)) == len(NAMES)
    assert len({path.with_suffix(".part") for path in paths}) == len(NAMES)


def test_a_name_that_is_another_ones_path_has_a_path_of_its_own():
    results = Path("results")
    assert result_path(results, result_path(results, "a/b").stem) != result_path(results, "a/b")


def test_a_plain_name_can_be_read_in_its_path():
    assert result_path(Path("results"), "ada lovelace") == Path("results/ada lovelace.json")


LONG = {
    "plain": "x" * 249,
    "not plain": "(" + "x" * 248,
    "nested": "x" * 200 + "/" + "x" * 200,
    "Chinese": "张" * 82 + "/三",
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_name_has_a_path_that_can_be_written(tmp_path, kind):
    name = LONG[kind]
    store(result_path(tmp_path, name), "key", Grade(name))
    assert stored(result_path(tmp_path, name), "key") == Grade(name)


def test_a_result_is_read_as_it_was_stored(tmp_path, result):
    path = tmp_path / "new" / "folder" / "ada.json"
    store(path, "key", result)
    assert stored(path, "key") == result
    assert os.listdir(path.parent) == ["ada.json"]


def test_a_result_replaces_an_earlier_one(tmp_path, result):
    path = tmp_path / "ada.json"
    store(path, "key", Grade("ada", notes=["long " * 1000]))
    store(path, "other", result)
    assert stored(path, "key") is None
    assert stored(path, "other") == result


def test_a_result_that_was_never_stored_is_not_used(tmp_path):
    assert stored(tmp_path / "ada.json", "key") is None


def test_a_truncated_result_is_not_used(tmp_path, result):
    path = tmp_path / "ada.json"
    store(path, "key", result)
    text = path.read_text()
    for length in range(0, len(text), 7):
        path.write_text(text[:length])
        assert stored(path, "key") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: [],
        lambda kept: None,
        lambda kept: {},
        lambda kept: {"key": "key"},
        lambda kept: {"grade": kept["grade"]},
        lambda kept: kept | {"grade": None},
        lambda kept: kept | {"grade": {"student": "ada"}},
        lambda kept: kept | {"grade": kept["grade"] | {"verdicts": None}},
        lambda kept: kept | {"grade": kept["grade"] | {"verdicts": [1]}},
        lambda kept: kept | {"grade": kept["grade"] | {"from a later version": 1}},
    ],
)
def test_a_result_of_another_form_is_not_used(tmp_path, result, damage):
    path = tmp_path / "ada.json"
    store(path, "key", result)
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    assert stored(path, "key") is None


def test_a_result_with_another_fingerprint_is_not_used(tmp_path, result):
    path = tmp_path / "ada.json"
    store(path, "key", result)
    assert stored(path, "another key") is None
    assert stored(path, "") is None


def test_an_error_of_the_grader_is_not_used(tmp_path):
    path = tmp_path / "ada.json"
    store(path, "key", Grade("ada", error="the kernel does not start"))
    assert stored(path, "key") is None


def test_a_file_that_could_not_be_read_is_used(tmp_path):
    path, unreadable = tmp_path / "ada.json", Grade("ada", unreadable="the file is empty")
    store(path, "key", unreadable)
    assert stored(path, "key") == unreadable


def test_an_interrupted_run_leaves_the_earlier_result(tmp_path, result):
    path = tmp_path / "ada.json"
    store(path, "key", result)
    with pytest.raises(TypeError):
        store(path, "key", Grade("ada", notes=[object()]))
    assert stored(path, "key") == result


def test_a_fingerprint_depends_on_everything_that_a_result_depends_on(assignment, monkeypatch):
    first = fingerprint(assignment, b"{}", "bubblewrap", Limits())
    assert fingerprint(assignment, b"{}", "bubblewrap", Limits()) == first
    others = [
        fingerprint(assignment, b"{} ", "bubblewrap", Limits()),
        fingerprint(assignment, b"{}", "limits", Limits()),
        *(
            fingerprint(assignment, b"{}", "bubblewrap", replace(Limits(), **{name: 1}))
            for name in Limits.__dataclass_fields__
        ),
    ]
    monkeypatch.setattr(gm_lab, "__version__", "0.0.0")
    others.append(fingerprint(assignment, b"{}", "bubblewrap", Limits()))
    assert len({first, *others}) == len(others) + 1


def test_a_fingerprint_depends_on_the_source_of_the_assignment(assignment):
    first = fingerprint(assignment, b"{}", "bubblewrap", Limits())
    about = cell_of(assignment.source, "q1-hidden").metadata.nbgrader
    about["points"] += 1
    second = fingerprint(assignment, b"{}", "bubblewrap", Limits())
    about["points"] -= 1
    assert second != first
    assert fingerprint(assignment, b"{}", "bubblewrap", Limits()) == first

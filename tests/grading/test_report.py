"""gm_lab.grading.report: the pages, the statistics and the tables of a course."""

import csv
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from gm_lab.grading.course import result_path
from gm_lab.grading.report import (
    Mark,
    from_cell,
    hardest,
    histogram,
    in_order,
    load_results,
    read_marks,
    split_feedback,
    to_cell,
    write_report,
)
from gm_lab.grading.verdict import BLANK, Grade, Verdict

WRONG = """\
WrongAnswer: KL of <two> rows: not right yet
  expected: [1.5, 1.5]
  got:      [<3>, 3]
  hint:     1 < 2 & 3"""
NAMES = [
    "=1+1",
    "+1",
    "-1",
    "@sum",
    "\tname",
    "'quoted'",
    "'=1+1",
    "''",
    'a,b;"c"',
    "Zoë 张",
    " s ",
    "two\nlines",
]


def graded(student="ada", points=(4, 3), written="Because.", feedback=WRONG, **about):
    """A submission with two questions for a machine, of 4 and 3 points, and one of 2 for a person."""
    first, second = points
    verdicts = [
        Verdict("q1", "Question 1", first, 4, right=first == 4, feedback="" if first == 4 else feedback),
        Verdict("q2", "Question 2", second, 3, right=second == 3, feedback="" if second == 3 else feedback),
        Verdict("q3", "Question 3", 0, 0, 2, written, True),
    ]
    return Grade(student, verdicts, **about)


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fill_in(path, **columns):
    """Fill in a written.csv as a spreadsheet does: student to (points, comment)."""
    rows = table(path)
    for row in rows:
        if row["student"] in columns:
            row["points"], row["comment"] = columns[row["student"]]
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


class Page(HTMLParser):
    """What a page shows: its text, the targets of its links, and its tags."""

    def __init__(self, path):
        super().__init__()
        self.text, self.links, self.tags = "", [], set()
        self.feed(path.read_text("utf-8"))
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.text += " " if tag in ("td", "th", "dt", "dd") else ""
        self.links += [value for name, value in attributes if name == "href"]

    def handle_data(self, data):
        self.text += data


def page(folder, student="ada"):
    return Page(result_path(folder / "students", student).with_suffix(".html"))


def test_a_page_says_what_each_question_is_worth_and_why(tmp_path):
    write_report("elbo", [graded(points=(4, 1.5), notes=["q1 was moved"])], tmp_path)
    shown = page(tmp_path).text
    assert "ada: 5.5 of 7 points, and up to 2 more" in shown
    assert "q1 was moved" in shown
    assert "Question 1 ✓ right, 4 of 4 points" in shown
    assert "Question 2 ✗ not right, 1.5 of 3 points KL of <two> rows: not right yet" in shown
    assert "expected [1.5, 1.5] got [<3>, 3] hint 1 < 2 & 3" in shown
    assert "Question 3 ○ to be read by a person, up to 2 points Because." in shown


def test_a_page_shows_what_a_person_has_given(tmp_path):
    write_report("elbo", [graded()], tmp_path, {"ada": {"q3": Mark(1.5, "nearly")}})
    shown = page(tmp_path).text
    assert "7 of 7 points, and 1.5 of 2 for written answers" in shown
    assert "Question 3 1.5 of 2 points Because. nearly" in shown


def test_no_points_from_a_person_are_points_too(tmp_path):
    write_report("elbo", [graded()], tmp_path, {"ada": {"q3": Mark(0)}})
    assert "7 of 7 points, and 0 of 2 for written answers" in page(tmp_path).text
    assert "Question 3 0 of 2 points" in page(tmp_path).text


def test_a_written_question_without_an_answer_says_so(tmp_path):
    write_report("elbo", [graded(written="")], tmp_path)
    assert "up to 2 points no answer" in page(tmp_path).text


def test_other_feedback_is_shown_as_it_is(tmp_path):
    write_report("elbo", [graded(points=(0, 0), feedback="NameError: name 'x' is <not> defined")], tmp_path)
    assert "NameError: name 'x' is <not> defined" in page(tmp_path).text
    assert "expected" not in page(tmp_path).text


def evil(place):
    """Text that a browser would run if it took it for HTML."""
    return f"<script>{place}('1')</script><img onerror=\"{place}\">&amp;"


def test_pages_take_nothing_that_a_student_wrote_for_html(tmp_path):
    feedback = f"{evil('text')}\n  expected: {evil('expected')}\n  got: {evil('got')}\n  hint: {evil('hint')}"
    grade = graded(evil("name"), (0, 1), evil("written"), feedback, notes=[evil("note")])
    grade.verdicts[0].title = evil("question")
    grades = [grade, graded(unreadable=evil("file")), Grade("bob", error=evil("error"))]
    write_report(evil("title"), grades, tmp_path, {evil("name"): {"q3": Mark(1, evil("comment"))}})
    places = {
        page(tmp_path, evil("name")): "title name question text expected got hint note written comment",
        page(tmp_path): "title file",
        page(tmp_path, "bob"): "title",
        Page(tmp_path / "index.html"): "title name question file error",
    }
    for shown, names in places.items():
        assert not shown.tags & {"script", "img"}
        for name in names.split():
            assert evil(name) in shown.text


def test_a_lone_surrogate_in_feedback_or_a_name_does_not_stop_the_report(tmp_path):
    odd = graded("Zo\udceb", (0, 0), "Because \ud800", "ValueError: \ud800")
    write_report("elbo", [odd, graded()], tmp_path)
    assert page(tmp_path, "Zo\udceb").text
    assert len(table(tmp_path / "course.csv")) == 2


def test_each_student_has_a_page_whatever_the_name(tmp_path):
    names = [*NAMES, "../../out", "a/b", "a_b", "a b", "Zoë"]
    write_report("elbo", [graded(name) for name in names], tmp_path / "report")
    assert len(list((tmp_path / "report" / "students").iterdir())) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    links = Page(tmp_path / "report" / "index.html").links
    for name, link in zip(names, links, strict=True):
        shown = Page(tmp_path / "report" / unquote(link)).text
        assert " ".join(f"{name}: 7 of 7 points".split()).replace(" :", ":") in shown.replace(" :", ":")


def test_a_name_longer_than_a_file_name_has_a_page(tmp_path):
    write_report("elbo", [graded("x" * 249)], tmp_path)
    assert "7 of 7 points" in page(tmp_path, "x" * 249).text


def test_a_page_keeps_its_name_and_none_is_left_of_a_student_without_a_grade(tmp_path):
    write_report("elbo", [graded("bob", (0, 0)), graded("eve")], tmp_path)
    write_report("elbo", [graded("ada"), graded("bob")], tmp_path)
    assert {path.name for path in (tmp_path / "students").iterdir()} == {"ada.html", "bob.html"}
    assert "bob: 7 of 7 points" in page(tmp_path, "bob").text


def test_the_summary_shows_mean_median_questions_and_students(tmp_path):
    grades = [graded("ada"), graded("bob", (0, 3)), graded("eve", (0, 1), feedback=BLANK)]
    write_report("elbo", grades, tmp_path, {"bob": {"q3": Mark(2)}})
    shown = Page(tmp_path / "index.html").text
    assert "3 submissions. Mean 3.67 of 7 points, median 3." in shown
    assert "Question 1 33 % 67 % 1.33 of 4 Question 2 67 % 67 % 2.33 of 3" in shown
    assert "Question 3" not in shown
    assert "ada 7 … bob 3 2 eve 1 …" in shown  # points, by hand


def test_a_grader_error_shows_no_points(tmp_path):
    failed = Grade("bob", error="the kernel does not start")
    write_report("elbo", [graded("ada", (4, 0)), failed], tmp_path)
    own = page(tmp_path, "bob").text
    assert "bob: not graded. The grader failed; no points are lost." in own
    assert not re.search(r"\d of \d|not right", own)
    summary = Page(tmp_path / "index.html").text
    assert "2 submissions, of which 1 not graded: the grader failed. Mean 4 of 7 points, median 4." in summary
    assert "bob – … grader error: the kernel does not start" in summary
    assert (tmp_path / "course.csv").read_text().splitlines()[2] == "bob,,,,,,grader error"


def test_a_file_that_cannot_be_read_is_worth_no_points_and_counts(tmp_path):
    unreadable = graded("bob", (0, 0), "", BLANK, unreadable="the file is empty")
    write_report("elbo", [graded(), unreadable], tmp_path)
    assert "bob: 0 of 7 points" in page(tmp_path, "bob").text
    assert "This file could not be read: the file is empty." in page(tmp_path, "bob").text
    summary = Page(tmp_path / "index.html").text
    assert "Mean 3.5 of 7 points" in summary
    assert "bob 0 … the file is empty" in summary
    assert [row["state"] for row in table(tmp_path / "course.csv")] == ["graded", "unreadable"]


def test_a_course_without_grades_has_a_report(tmp_path):
    write_report("elbo", [], tmp_path)
    assert "0 submissions." in Page(tmp_path / "index.html").text
    assert table(tmp_path / "course.csv") == table(tmp_path / "written.csv") == []


def test_a_course_of_grader_errors_has_a_report(tmp_path):
    write_report("elbo", [Grade("ada", error="no"), Grade("bob", error="no")], tmp_path)
    assert "2 submissions, of which 2 not graded" in Page(tmp_path / "index.html").text


def test_an_assignment_of_written_answers_only_has_a_report(tmp_path):
    write_report("essay", [Grade("ada", [Verdict("q1", "Why?", 0, 0, 2, "So.", True)])], tmp_path)
    assert "0 of 0 points, and up to 2 more" in page(tmp_path).text
    assert table(tmp_path / "course.csv")[0]["points"] == "0"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "WrongAnswer: KL: not right yet\n  expected: 1\n  got:      2",
            {"text": "KL: not right yet", "expected": "1", "got": "2", "hint": None},
        ),
        (
            "WrongAnswer: KL\n  expected: [1, 1], shape (2,)\n  got:      None, shape ()\n  hint:     a\nb",
            {"text": "KL", "expected": "[1, 1], shape (2,)", "got": "None, shape ()", "hint": "a\nb"},
        ),
        ("NameError: x", {"text": "NameError: x"}),
        ("", {"text": ""}),
    ],
)
def test_the_message_of_a_check_is_taken_apart(text, parts):
    assert split_feedback(text) == parts


def test_a_histogram_counts_each_submission_once():
    grades = [
        graded(points=points) for points in ((0, 0), (0, 0.5), (1, 0), (2, 1.5), (4, 2), (4, 3), (4, 3))
    ]
    drawn = histogram(grades)
    assert drawn["counts"] == [2, 1, 0, 0, 0, 1, 0, 0, 1, 2]
    assert [bar["count"] for bar in drawn["bars"]] == drawn["counts"]
    assert [bar["height"] for bar in drawn["bars"]] == [100, 50, 0, 0, 0, 50, 0, 0, 50, 100]
    assert [bar["label"] for bar in drawn["bars"]][::9] == ["0–0.7", "6.3–7"]
    assert drawn["bars"][-1]["x"] + drawn["bars"][-1]["width"] <= drawn["width"]


@pytest.mark.parametrize("grades", [[], [Grade("ada", [Verdict("q1", "", 0, 0, 2)])]])
def test_a_histogram_of_no_points_has_no_bars(grades):
    assert (histogram(grades)["counts"], histogram(grades)["bars"]) == ([], [])


def test_the_hardest_question_comes_first():
    grades = [graded(points=points) for points in ((4, 0), (4, 3), (2, 1))]
    grades.append(graded(points=(4, 0), feedback=BLANK))
    assert hardest(grades) == [
        {"title": "Question 2", "right": 0.25, "answered": 0.75, "mean": 1, "possible": 3},
        {"title": "Question 1", "right": 0.75, "answered": 1, "mean": 3.5, "possible": 4},
    ]
    assert hardest([]) == []


def test_course_csv_has_a_line_for_each_student(tmp_path):
    grades = [graded("ada", (4, 1.5)), graded("bob", (0, 0))]
    write_report("elbo", grades, tmp_path, {"ada": {"q3": Mark(2)}})
    assert (tmp_path / "course.csv").read_text().splitlines() == [
        "student,points,possible,q1,q2,written,state",
        "ada,5.5,7,4,1.5,2,graded",
        "bob,0,7,0,0,,graded",
    ]


def test_course_csv_has_its_questions_in_their_order(tmp_path):
    verdicts = [Verdict(name, "", 0, 1) for name in ("q10", "q9", "q2")]
    write_report("elbo", [Grade("ada", verdicts)], tmp_path)
    assert list(table(tmp_path / "course.csv")[0])[3:-2] == ["q2", "q9", "q10"]
    assert sorted(["q10", "q1", "q2"], key=in_order) == ["q1", "q2", "q10"]


@pytest.mark.parametrize("text", [*NAMES, "", "a=b", "\r", "=", "'", "'-", "''=1"])
def test_a_table_gives_back_what_was_put_into_a_cell(text):
    assert from_cell(to_cell(text)) == text


def test_no_cell_of_a_table_is_a_formula(tmp_path):
    evil = ["=HYPERLINK(1)", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1"]
    grades = [graded(name, written=name) for name in evil]
    marks = {name: {"q3": Mark(1, name)} for name in evil}
    write_report("elbo", grades, tmp_path, marks)
    for name in ("course.csv", "written.csv"):
        for row in table(tmp_path / name):
            assert not [cell for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_written_csv_has_a_line_for_each_written_answer(tmp_path):
    write_report("elbo", [graded("ada"), graded("bob", written="")], tmp_path)
    assert (tmp_path / "written.csv").read_text().splitlines() == [
        "student,question,most,points,comment,answer",
        "ada,q3,2,,,Because.",
        "bob,q3,2,,,",
    ]
    assert read_marks(tmp_path / "written.csv", [graded("ada"), graded("bob")]) == {}


@pytest.mark.parametrize("name", NAMES)
def test_marks_make_the_round_trip_whatever_the_name(tmp_path, name):
    grades, marks = [graded(name, written=name), graded("other")], {name: {"q3": Mark(1.5, name)}}
    write_report("elbo", grades, tmp_path, marks)
    assert read_marks(tmp_path / "written.csv", grades) == marks


def test_marks_that_a_person_fills_in_survive_every_further_report(tmp_path):
    grades, path = (
        [graded("ada"), graded("-bob", written="- one\n- two"), graded("eve")],
        tmp_path / "written.csv",
    )
    write_report("elbo", grades, tmp_path)
    fill_in(path, ada=("1.5", 'good, but: "short"'), **{"'-bob": ("0", "'- see page 3")})
    marks = read_marks(path, grades)
    assert marks == {"ada": {"q3": Mark(1.5, 'good, but: "short"')}, "-bob": {"q3": Mark(0, "- see page 3")}}
    for _ in range(2):
        write_report("elbo", grades, tmp_path, marks)
        assert read_marks(path, grades) == marks
    assert [row["written"] for row in table(tmp_path / "course.csv")] == ["1.5", "0.0", ""]
    assert "good, but" in page(tmp_path).text


def test_a_comment_without_points_survives_a_further_report(tmp_path):
    grades, path = [graded("ada")], tmp_path / "written.csv"
    write_report("elbo", grades, tmp_path)
    fill_in(path, ada=("", "ask about this"))
    write_report("elbo", grades, tmp_path, read_marks(path, grades))
    assert table(path)[0]["comment"] == "ask about this"


def test_the_marks_of_a_student_survive_a_failure_of_the_grader(tmp_path):
    grades, path, marks = (
        [graded("ada"), graded("bob")],
        tmp_path / "written.csv",
        {"ada": {"q3": Mark(1, "good")}},
    )
    write_report("elbo", grades, tmp_path, marks)
    failed = [Grade("ada", error="the kernel does not start"), graded("bob")]
    assert read_marks(path, failed) == marks
    write_report("elbo", failed, tmp_path, marks)
    assert read_marks(path, grades) == marks


def test_marks_for_an_answer_of_any_length_can_be_read(tmp_path):
    grades, marks = [graded("ada", written="word " * 40_000)], {"ada": {"q3": Mark(1)}}
    write_report("elbo", grades, tmp_path, marks)
    assert read_marks(tmp_path / "written.csv", grades) == marks


@pytest.mark.parametrize("points", ["-0.5", "'-1", "2.01", "two", "1,5", "nan", "inf", "1e9"])
def test_marks_out_of_range_are_refused(tmp_path, points):
    write_report("elbo", [graded("ada"), graded("bob")], tmp_path)
    fill_in(tmp_path / "written.csv", bob=(points, ""))
    with pytest.raises(ValueError, match=r"written.csv, line 3: points must lie in \[0, 2\], got "):
        read_marks(tmp_path / "written.csv", [graded("ada"), graded("bob")])


@pytest.mark.parametrize("points", ["0", "2", "2.0", " 1.5 ", "1e0"])
def test_marks_within_the_range_are_taken(tmp_path, points):
    write_report("elbo", [graded("ada")], tmp_path)
    fill_in(tmp_path / "written.csv", ada=(points, ""))
    assert read_marks(tmp_path / "written.csv", [graded("ada")]) == {"ada": {"q3": Mark(float(points))}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mallory,q3,2,1,,", "written.csv, line 2: no written answer of 'mallory' to 'q3'"),
        ("ada,q1,2,1,,", "written.csv, line 2: no written answer of 'ada' to 'q1'"),
        ("ada,q9,2,,,", "written.csv, line 2: no written answer of 'ada' to 'q9'"),
        ("ada", "written.csv, line 2: no written answer of 'ada' to ''"),
        ("ada;q3;2;1;;", "written.csv, line 2: no written answer of "),
    ],
)
def test_marks_for_what_nobody_wrote_are_refused(tmp_path, line, message):
    path = tmp_path / "written.csv"
    path.write_text(f"student,question,most,points,comment,answer\n{line}\n")
    with pytest.raises(ValueError, match=message):
        read_marks(path, [graded("ada")])


def test_a_table_without_its_columns_is_refused(tmp_path):
    (tmp_path / "written.csv").write_text("name,points\nada,1\n")
    with pytest.raises(ValueError, match="line 2: no written answer of '' to ''"):
        read_marks(tmp_path / "written.csv", [graded("ada")])


def test_stored_results_are_loaded_by_student(tmp_path):
    grades = [graded("Zoë"), graded("ada", notes=["note"]), Grade("bob", error="no")]
    for number, grade in enumerate(grades):
        (tmp_path / f"{number}.json").write_text(json.dumps({"key": "k", "grade": grade.to_dict()}))
    (tmp_path / "9.part").write_text("{")
    assert load_results(tmp_path) == [grades[0], grades[1], grades[2]]


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no results: run gm-lab grade first"):
        load_results(tmp_path)

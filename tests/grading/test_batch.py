"""A whole course at once: nothing is lost, nothing survives, the order does not matter, and it can be
stopped.

The submissions are those of the verdict table, all in one folder, and several students with the same.
"""

import copy
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from gm_lab.grading.course import Submission, grade_course, submissions
from gm_lab.grading.kernel import Kernel, Stopped, warm
from gm_lab.grading.sandbox import Limits
from gm_lab.grading.verdict import grade
from gm_lab.grading.warm import FIRST_USER
from tests.grading.submissions import TABLE
from tests.grading.test_verdicts import running, wait_for
from tests.grading.toy import LIMITS, dump, fill

pytestmark = pytest.mark.sandbox
GM_LAB = Path(sys.executable).with_name("gm-lab")
QUICK = [
    "right", "blank", "half", "float64", "syntax error", "os._exit", "sys.exit", "patched checks",
    "truncated", "metadata lost", "writes outside", "orphan processes",
]  # fmt: skip


def hand_in(folder: Path, names, blank, world) -> dict[str, tuple]:
    """Write submissions into a folder; returns the points that each student must get."""
    folder.mkdir()
    expected = {}
    for number, name in enumerate(names):
        student = f"{number:03} {name}".replace("/", "_")
        build, points = TABLE[name]
        (folder / f"{student}.ipynb").write_bytes(build(copy.deepcopy(blank), world))
        expected[student] = points
    return expected


def points(grades) -> dict[str, tuple]:
    """The points of questions 1 to 3 of each student."""
    return {grade.student: tuple(verdict.points for verdict in grade.verdicts[:3]) for grade in grades}


def snapshot(folder: Path) -> dict:
    """What is in a folder: names, times and sizes."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))}


def leftovers() -> list:
    """What outlives its grader: processes of a sandbox that is gone, and sandboxes or warm processes of
    nobody."""
    found = []
    for process in psutil.process_iter(["uids", "ppid", "cmdline"]):
        user, words = process.info["uids"], process.info["cmdline"] or []
        homeless = user and user.real > FIRST_USER and not psutil.pid_exists(user.real - FIRST_USER)
        ours = {"bwrap", "sandbox"} <= {*words} or "gm_lab.grading.warm" in words
        orphaned = ours and process.info["ppid"] == 1
        found += [process] if homeless or orphaned else []
    return found


def test_all_of_the_table_in_one_batch(assignment, blank, world, mode, tmp_path):
    expected = hand_in(tmp_path / "in", TABLE, blank, world)
    handed_in = submissions(tmp_path / "in", "toy")
    random.Random(0).shuffle(handed_in)
    instructor = snapshot(world["instructor"])
    grades = [
        grade for grade, _ in grade_course(assignment, handed_in, tmp_path / "out", mode, LIMITS, jobs=2)
    ]
    assert not [grade.error for grade in grades if grade.error]
    assert points(grades) == expected
    assert snapshot(world["instructor"]) == instructor
    assert os.listdir(world["outside"]) == []
    assert not Path("/tmp/was-here").exists()
    assert wait_for(lambda: leftovers() == [], seconds=10)


def test_grading_again_uses_what_is_there_and_order_does_not_matter(assignment, blank, world, mode, tmp_path):
    expected = hand_in(tmp_path / "in", QUICK, blank, world)
    handed_in = submissions(tmp_path / "in", "toy")
    first = list(grade_course(assignment, handed_in, tmp_path / "out", mode, LIMITS))
    second = list(grade_course(assignment, handed_in, tmp_path / "out", mode, LIMITS))
    backwards = list(grade_course(assignment, handed_in[::-1], tmp_path / "other", mode, LIMITS, jobs=1))
    assert [was_stored for _, was_stored in first + second] == [False] * len(QUICK) + [True] * len(QUICK)
    for run in (first, second, backwards):
        assert points(grade for grade, _ in run) == expected
    by_student = {grade.student: grade for grade, _ in first}
    assert by_student == {grade.student: grade for grade, _ in backwards}


def test_a_changed_submission_is_graded_again_and_the_others_are_not(
    assignment, blank, world, mode, tmp_path
):
    hand_in(tmp_path / "in", ["right", "half"], blank, world)
    list(grade_course(assignment, submissions(tmp_path / "in", "toy"), tmp_path / "out", mode, LIMITS))
    shutil.copy(tmp_path / "in" / "000 right.ipynb", tmp_path / "in" / "001 half.ipynb")
    again = list(
        grade_course(assignment, submissions(tmp_path / "in", "toy"), tmp_path / "out", mode, LIMITS)
    )
    assert {grade.student: (grade.points, was_stored) for grade, was_stored in again} == {
        "000 right": (10, True),
        "001 half": (10, False),
    }


def test_a_file_that_cannot_be_opened_is_reported_and_stops_nothing(assignment, mode, tmp_path):
    handed_in = [Submission("gone", tmp_path / "gone.ipynb"), Submission("linked", tmp_path / "linked.ipynb")]
    (tmp_path / "linked.ipynb").symlink_to(tmp_path / "gone.ipynb")
    gone, linked = (grade for grade, _ in grade_course(assignment, handed_in, tmp_path / "out", mode, LIMITS))
    assert "cannot be read" in gone.error
    assert "link" in linked.unreadable
    assert linked.points == 0


# The command, as it is typed


def command(world, handed_in, results, *options, **more):
    words = [GM_LAB, "grade", world["instructor"] / "source.ipynb", handed_in]
    words += ["--results", results, "--cell-seconds", "10", "--json", *options]
    return subprocess.Popen(
        [*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def judged(process) -> dict[str, float]:
    """Wait for the command; the points of each student."""
    said, complaint = process.communicate(timeout=300)
    assert said, complaint
    return {grade["student"]: grade["points"] for grade in json.loads(said)["grades"]}


def test_a_batch_that_is_killed_leaves_nothing_running_and_goes_on(blank, world, mode, tmp_path):
    expected = hand_in(tmp_path / "in", QUICK * 2, blank, world)
    process = command(world, tmp_path / "in", tmp_path / "out")
    stored = tmp_path / "out" / "source" / "grades"
    assert wait_for(lambda: len(list(stored.glob("*.json"))) >= len(expected) // 2, seconds=120)
    process.kill()  # no chance to clean up
    process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in stored.glob("*.json")}
    assert 0 < len(kept) < len(expected)
    assert wait_for(lambda: leftovers() == [], seconds=10)

    resumed = command(world, tmp_path / "in", tmp_path / "out")
    assert judged(resumed) == {student: sum(points) for student, points in expected.items()}
    assert resumed.returncode == 1  # some answers are wrong
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert not [path for path in stored.iterdir() if path.suffix != ".json"]


BUILDING = """
import threading
from gm_lab.grading.sandbox import Bubblewrap, Limits
def build():
    while True:
        Bubblewrap(Limits()).close()
for _ in range(2):
    threading.Thread(target=build).start()
print("building", flush=True)
"""


def test_a_grader_that_is_killed_while_it_builds_sandboxes_leaves_nothing_running(mode):
    for attempt in range(20):
        with subprocess.Popen([sys.executable, "-c", BUILDING], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(0.1 + attempt / 100)
            process.kill()
    assert wait_for(lambda: leftovers() == [], seconds=10)


def test_an_interrupt_ends_a_batch_and_keeps_what_there_is(blank, world, mode, tmp_path):
    hand_in(tmp_path / "in", ["right"] * 8, blank, world)
    process = command(world, tmp_path / "in", tmp_path / "out")
    stored = tmp_path / "out" / "source" / "grades"
    assert wait_for(lambda: list(stored.glob("*.json")), seconds=120)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert list(stored.glob("*.json"))


CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def test_a_dask_cluster_of_two_workers_gives_the_same_points(blank, world, mode, tmp_path):
    expected = hand_in(tmp_path / "in", QUICK, blank, world)
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    with subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        address = cluster.stdout.readline().strip()
        process = command(world, tmp_path / "in", tmp_path / "out", "--scheduler", address)
        assert judged(process) == {student: sum(points) for student, points in expected.items()}
        cluster.stdin.close()
        assert cluster.wait(timeout=60) == 0


# The grader as a user without any rights, as most instructors are

UNPRIVILEGED = """
set -e
mkdir -p "$KEEP/python" && mount --bind "$PYTHON" "$KEEP/python"
mount -t tmpfs -o mode=755 none /root && mkdir -p "$PYTHON" && mount --bind "$KEEP/python" "$PYTHON"
exec setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"
"""


def as_nobody(words, tmp_path):
    """A command as the user nobody, who may see this Python even if root's home is closed to others."""
    if os.geteuid() != 0:
        return words
    environment = [f"KEEP={tmp_path}/keep", f"PYTHON={sys.base_prefix}"]
    return ["env", *environment, "unshare", "--mount", "sh", "-c", UNPRIVILEGED, "sh", *words]


def test_an_ordinary_user_can_grade_all_of_the_table(blank, world, mode):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = hand_in(folder / "in", TABLE, blank, world)
        shutil.copy(world["instructor"] / "source.ipynb", folder)
        (folder / "out").mkdir()
        for path in (folder, folder / "in", folder / "out"):
            path.chmod(0o777)
        words = [
            GM_LAB,
            "grade",
            folder / "source.ipynb",
            folder / "in",
            "--results",
            folder / "out",
            "--json",
        ]
        words += ["--cell-seconds", "4", "--sandbox", "bubblewrap"]
        done = subprocess.run(as_nobody([*map(str, words)], folder), capture_output=True, text=True, cwd="/")
    assert done.stdout, done.stderr
    got = {grade["student"]: grade["points"] for grade in json.loads(done.stdout)["grades"]}
    assert got == {student: sum(points) for student, points in expected.items()}


# Limits that no notebook of the table shows


def test_what_a_kernel_starts_ends_with_it(mode):
    with Kernel(mode, Limits()) as kernel:
        kernel.run("import subprocess\nsubprocess.Popen(['sleep', '54321'], start_new_session=True)")
        assert running("54321")
    assert wait_for(lambda: not running("54321"), seconds=5)


def test_processes_together_may_not_take_more_memory_than_one(mode):
    hog = "import os, time\nif os.fork() == 0:\n    kept = b'x' * (500 << 20)\n    time.sleep(60)\n"
    limits = Limits(memory=2 << 30, cell_seconds=30)
    with Kernel(mode, limits) as kernel, pytest.raises(Stopped, match="memory"):
        kernel.run(hog * 5 + "time.sleep(30)")


def test_a_warm_process_that_was_killed_is_replaced(assignment, blank, mode):
    right = dump(fill(blank))
    assert grade(assignment, "before", right, mode, LIMITS).right
    warm().process.kill()
    assert grade(assignment, "after", right, mode, LIMITS).right


def test_all_cells_together_have_a_limit_too(mode):
    with (
        Kernel(mode, Limits(cell_seconds=60, total_seconds=1)) as kernel,
        pytest.raises(Stopped, match="too long"),
    ):
        kernel.run("import time\ntime.sleep(30)")


def test_without_a_sandbox_the_limits_hold_and_the_folder_vanishes():
    limits = Limits(cell_seconds=2, memory=3 << 30, file_size=1 << 20)
    with Kernel("limits", limits) as kernel:
        folder = kernel.sandbox.outside_home
        assert "MemoryError" in kernel.run("kept = bytearray(3 << 30)").error
        assert "OSError" in kernel.run("open('large', 'wb').write(bytes(2 << 20))").error
        kernel.run("import subprocess\nsubprocess.Popen(['sleep', '54322'])")
        with pytest.raises(Stopped, match="too long"):
            kernel.run("while True: pass")
    assert not folder.exists()
    assert wait_for(lambda: not running("54322"), seconds=5)

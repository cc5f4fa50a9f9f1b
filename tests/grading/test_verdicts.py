"""Every submission of the verdict table, each for itself."""

import os
import re
import time

import psutil
import pytest

from gm_lab.grading.verdict import grade
from tests.grading.submissions import TABLE, UNREADABLE
from tests.grading.toy import LIMITS, POINTS

pytestmark = pytest.mark.sandbox


def wait_for(condition, seconds: float) -> bool:
    """Whether a condition comes true in time."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if condition():
            return True
        time.sleep(0.05)
    return False


def running(word):
    """The processes on this machine with a word in their command line."""
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if word in " ".join(process.info["cmdline"] or [])]


@pytest.mark.parametrize("name", TABLE)
def test_verdict(name, assignment, blank, world, mode):
    build, points = TABLE[name]
    result = grade(assignment, "student", build(blank, world), mode, LIMITS)
    assert not result.error
    assert {verdict.name: verdict.points for verdict in result.verdicts} == dict(
        zip(POINTS, (*points, 0), strict=True)
    )
    assert bool(result.unreadable) == (name in UNREADABLE)
    text = str(result.to_dict())
    assert not re.search("sesame_(mean|angles)", text)  # no feedback shows a word of a hidden check
    for verdict in result.verdicts:
        assert verdict.right == (verdict.points == verdict.possible)
        assert verdict.right or verdict.feedback
    assert os.listdir(world["outside"]) == []
    assert os.listdir(world["instructor"]) == ["source.ipynb"]
    assert wait_for(lambda: not running("86397"), seconds=5)

"""nbgrader itself accepts our sources and releases, and would have made the same releases.

nbgrader is not a dependency: it is installed into a folder of its own, without what it brings along.
"""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from filelock import FileLock

from gm_lab.grading.assignment import grading, release
from tests.grading.test_assignments import SOURCES
from tools.repository import ROOT

PACKAGES = ("nbgrader==0.9.6", "rapidfuzz==3.14.6", "alembic==1.20.1", "Mako==1.4.3")
PROGRAM = """
import json, sys
from nbgrader.nbgraderformat import read
from nbgrader.preprocessors import CheckCellMetadata, ClearHiddenTests
from nbgrader.preprocessors import ClearSolutions, ComputeChecksums, LockCells
from nbgrader.utils import compute_checksum

def grades(notebook):
    return {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if cell.metadata.get("nbgrader")}

source, released = (read(path, as_version=4) for path in sys.argv[1:])
for notebook in (source, released):
    CheckCellMetadata().preprocess(notebook, {})
ours = {name: [cell.source, compute_checksum(cell)] for name, cell in grades(released).items()}
for step in (LockCells, ClearSolutions, ClearHiddenTests, ComputeChecksums):
    source, _ = step().preprocess(source, {})
theirs = {name: [cell.source, cell.metadata.nbgrader.checksum] for name, cell in grades(source).items()}
print(json.dumps({"ours": ours, "theirs": theirs}))
"""


@pytest.fixture(scope="module")
def nbgrader():
    """The folder where nbgrader is. Without a network the test is skipped, except under CI, where it
    fails."""
    folder = ROOT / "_build" / "nbgrader"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-deps",
                "--target",
                str(folder),
                *PACKAGES,
            ]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                (pytest.fail if os.environ.get("CI") else pytest.skip)(
                    f"nbgrader cannot be installed: {done.stderr[-500:]}"
                )
            (folder / "done").touch()
    return folder


@pytest.mark.notebook
@pytest.mark.parametrize("path", [*SOURCES, "toy"], ids=lambda path: getattr(path, "stem", path))
def test_nbgrader_accepts_source_and_release_and_makes_the_same_release(path, nbgrader, source, tmp_path):
    notebook = source if path == "toy" else nbformat.read(path, as_version=4)
    released = release(notebook)
    files = [tmp_path / "source.ipynb", tmp_path / "release.ipynb"]
    for file, content in zip(files, (notebook, released), strict=True):
        nbformat.write(content, file)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *files],
        env={**os.environ, "PYTHONPATH": str(nbgrader)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    ours, theirs = result["ours"], result["theirs"]
    for cell in released.cells:
        if name := grading(cell).get("grade_id"):
            assert grading(cell)["checksum"] == ours[name][1]
            assert ours[name] == theirs[name]
    hidden = set(theirs) - set(ours)
    assert hidden, "nbgrader empties hidden checks, we drop them"
    assert all("record" not in theirs[name][0] for name in hidden)

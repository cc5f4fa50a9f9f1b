"""Every chapter of the book runs, prints what it stores, and keeps the rules of CONTRIBUTING.md.

Each chapter is executed by its own pytest with nbval, in one thread. Two at a time:
`pytest -n 2 --dist worksteal tests/book/test_chapters.py`.
"""

import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.lint import lint_notebook
from tools.normalize import normalize
from tools.notebooks import CELL_TIMEOUT, toc_chapters

CHAPTERS = pytest.mark.parametrize(
    "path", [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in toc_chapters()]
)


def nbval(path, *how):
    """Execute a notebook and compare outputs, by default of tagged cells; (passed, nbval's report)."""
    command = [sys.executable, "-m", "pytest", *(how or ["--nbval-lax"]), str(path)]
    # Without this project's pytest options: they are meant for the package, not for what runs in a kernel.
    options = ["-c", os.devnull, "--rootdir", str(path.parent), "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["-q", "--color=no", f"--nbval-cell-timeout={CELL_TIMEOUT}"]
    done = subprocess.run(
        command + options,
        cwd=path.parent,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.notebook
@CHAPTERS
def test_chapter_prints_what_it_stores(path):
    passed, report = nbval(path)
    if not passed:
        pytest.fail(f"{path.name} under nbval:\n{report}", pytrace=False)


@CHAPTERS
def test_chapter_keeps_the_rules(path):
    findings = lint_notebook(path)
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


# The check itself


def chapter(path, *cells):
    """Write a notebook of (source, stored stdout, tagged) cells."""
    notebook = new_notebook(
        cells=[
            new_code_cell(
                source,
                outputs=[new_output("stream", text=text)],
                metadata={"tags": ["nbval-check-output"] if tagged else []},
            )
            for source, text, tagged in cells
        ]
    )
    nbformat.write(normalize(notebook), path)
    return path


@pytest.mark.notebook
def test_the_check_passes_the_same_output_and_ignores_untagged_cells(tmp_path):
    passed, report = nbval(
        chapter(tmp_path / "a.ipynb", ("print(2)", "2\n", True), ("print(3)", "4\n", False))
    )
    assert passed, report


@pytest.mark.notebook
@pytest.mark.parametrize(
    ("source", "stored", "tagged", "reason"),
    [
        ("print(2)", "3\n", True, "mismatch 'stdout'"),
        ("pass", "3\n", True, "Missing output fields"),
        ("raise ValueError('no')", "3\n", False, "ValueError"),
    ],
)
def test_the_check_fails_a_changed_output_and_an_error(tmp_path, source, stored, tagged, reason):
    passed, report = nbval(chapter(tmp_path / "a.ipynb", (source, stored, tagged)))
    assert not passed
    assert reason in report

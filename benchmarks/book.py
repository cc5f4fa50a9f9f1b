"""How long does the book take to build, and each chapter to run?"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from benchmarks.common import row, save
from tools.notebooks import CELL_TIMEOUT, ROOT, toc_chapters


def build_seconds(folder: str) -> float:
    """Time of `jupyter-book build` into a folder."""
    start = time.perf_counter()
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "--path-output", folder]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def run_seconds(path: Path) -> float:
    """Time to execute a chapter in a fresh kernel, in one thread, its start included."""
    os.environ["OMP_NUM_THREADS"] = "1"
    notebook = nbformat.read(path, as_version=4)
    start = time.perf_counter()
    NotebookClient(notebook, timeout=CELL_TIMEOUT, resources={"metadata": {"path": path.parent}}).execute()
    return time.perf_counter() - start


def main() -> None:
    chapters = toc_chapters()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row("build the whole book", build_seconds(folder), "s", 60)]
        chapters[0].touch()
        rows.append(row("build it again after a change in one chapter", build_seconds(folder), "s", 10))
    for path in chapters:
        rows.append(row(f"run {path.parent.name}/{path.stem}", run_seconds(path), "s", 90, "one thread"))
    save("book", rows)


if __name__ == "__main__":
    main()

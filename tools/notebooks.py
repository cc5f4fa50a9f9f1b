"""Edit chapters as text, run and store them, lint them: `python -m tools.notebooks text|run|lint [CHAPTER…]`.

A chapter is named `foundations/03-kl-divergence`, or `03`, or by the path of its notebook or its text twin.
The notebook is the source. Its twin `NAME.myst.md` is a convenience for editing, which git ignores.
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import jupytext
import nbformat
import typer
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.lint import lint_notebook
from tools.normalize import AUTHORED, cell_ids, normalize
from tools.posters import add_posters
from tools.repository import ROOT, is_setup_cell, repository_url, setup_cell

BOOK = ROOT / "book"
CELL_TIMEOUT = 300  # seconds
AT_ONCE = 2  # chapters

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
Chapters = Annotated[list[str] | None, typer.Argument(metavar="CHAPTER", show_default=False)]


# Which chapters


def book_chapters():
    """The notebooks of all chapters in the folders of the book."""
    return sorted(BOOK.glob("*/[0-9][0-9]-*.ipynb"))


def toc_chapters(toc=ROOT / "_toc.yml"):
    """The notebooks of all chapters that the table of contents lists, in its order."""
    files = re.findall(r"file: *(\S+/\d\d-[\w-]+)", toc.read_text())
    return [toc.parent / f"{file}.ipynb" for file in files]


def find_chapter(name):
    """The path of the notebook that `name` means; it may still have to be made from its text twin."""
    stem = re.sub(r"(\.ipynb|\.myst\.md)$", "", name)
    if re.fullmatch(r"\d\d", stem):
        named = [path.with_name(path.name.split(".")[0]) for path in BOOK.glob(f"*/{stem}-*")]
    else:
        named = [Path(stem).resolve(), BOOK / stem]
    found = {path.with_name(f"{path.name}.ipynb") for path in named}
    found = [path for path in found if path.exists() or twin_of(path).exists()]
    if len(found) != 1:
        raise typer.BadParameter(
            f"{name!r} means {len(found)} chapters; name one like foundations/03-kl-divergence"
        )
    return found[0]


def twin_of(path):
    """The path of a notebook's text twin."""
    return path.with_suffix(".myst.md")


# Text and notebook


def to_text(notebook):
    """A notebook as MyST Markdown: what an author writes, without what `run` adds."""
    cells = []
    for cell in notebook.cells:
        if not is_setup_cell(cell):
            authored = {key: cell.metadata[key] for key in AUTHORED if key in cell.metadata}
            cells.append(nbformat.from_dict({**cell, "metadata": authored}))
    jupytext_options = {"notebook_metadata_filter": "-all", "default_lexer": "ipython3"}
    return jupytext.writes(
        nbformat.v4.new_notebook(cells=cells, metadata={"jupytext": jupytext_options}), fmt="md:myst"
    )


def from_text(text):
    """The notebook, without outputs, that a text twin describes."""
    return jupytext.reads(text, fmt="md:myst")


def read_sources(path, force_text=False):
    """The notebook to run: the stored one, or its text twin if that was edited last. Loses nobody's edits.

    Raises ValueError if the two differ and it is not certain that only the twin was edited.
    """
    twin = twin_of(path)
    if not twin.exists():
        return nbformat.read(path, as_version=4)
    folded_in = from_text(twin.read_text())
    if not path.exists() or force_text:
        return folded_in
    stored = nbformat.read(path, as_version=4)
    if to_text(stored) == to_text(folded_in):
        return stored
    notebook_edited = [cell.get("id") for cell in stored.cells] != cell_ids(stored)
    if notebook_edited or twin.stat().st_mtime < path.stat().st_mtime:
        raise ValueError(
            f"{path.name} was changed after {twin.name} was made, and they differ. To keep the notebook, "
            f"delete {twin.name}; to keep the text, `run --force-text`."
        )
    return folded_in


def insert_setup_cell(notebook):
    """Put the setup cell of today where it belongs, before the first other code cell, in place."""
    notebook.cells = [cell for cell in notebook.cells if not is_setup_cell(cell)]
    first = next(
        (i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), len(notebook.cells)
    )
    setup = nbformat.v4.new_code_cell(setup_cell(repository_url()), metadata={"tags": ["hide-input"]})
    notebook.cells.insert(first, setup)


def format_code(notebook):
    """Format the code cells of a notebook with ruff, in place; code that does not parse stays as it is."""
    ruff = [sys.executable, "-m", "ruff", "format"]
    # The name decides which settings hold: those of book/ruff.toml.
    formatted = subprocess.run(
        [*ruff, "--stdin-filename", ROOT / "book" / "chapter.ipynb", "-"],
        input=nbformat.writes(notebook),
        capture_output=True,
        text=True,
    )
    if formatted.returncode == 0:
        notebook.cells = nbformat.reads(formatted.stdout, as_version=4).cells


# Run


async def run_chapter(path, force_text=False, environment=None):
    """Execute one chapter in a fresh kernel and store it, normalized; nothing is stored if anything fails."""
    start = time.perf_counter()
    notebook = read_sources(path, force_text)
    before = {file: file.read_bytes() if file.exists() else None for file in (path, twin_of(path))}
    insert_setup_cell(notebook)
    format_code(notebook)
    normalize(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        extra_arguments=[
            "--log-level=ERROR"
        ],  # a warning about the kernel's sockets is none of the chapter's
    )
    async with client.async_setup_kernel(env={**os.environ, **(environment or {})}):
        for index, cell in enumerate(notebook.cells):
            try:
                await client.async_execute_cell(cell, index)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise RuntimeError(f"cell {index + 1} failed, nothing is saved:\n{error}") from error
    normalize(notebook)
    previous = nbformat.reads(before[path].decode(), as_version=4) if before[path] else None
    if missing := await add_posters(notebook, previous):
        print(f"{path.stem}: no Chromium here, so {missing} widgets have no poster")
    save(path, notebook, before)
    print(f"{path.stem}: {time.perf_counter() - start:.0f} s", flush=True)


def save(path, notebook, before):
    """Write the notebook, and its text twin if there is one, unless somebody edited them in the meantime."""
    if path.exists() and path.read_bytes() != before[path]:
        raise RuntimeError("the notebook was saved by somebody else while it ran; run it again")
    nbformat.write(notebook, path)
    twin = twin_of(path)
    if twin.exists():
        if twin.read_bytes() == before[twin]:
            twin.write_text(to_text(notebook))
        else:
            print(f"{twin.name} was edited while it ran: run it again to fold that in")
            twin.touch()


# Commands


@app.command()
def text(chapters: Chapters = None, force: Annotated[bool, typer.Option("--force")] = False):
    """Write NAME.myst.md beside each notebook (default: all of them). --force overwrites an edited one."""
    for path in map(find_chapter, chapters) if chapters else book_chapters():
        twin, fresh = twin_of(path), to_text(nbformat.read(path, as_version=4))
        if twin.exists() and not force and to_text(from_text(twin.read_text())) != fresh:
            raise typer.BadParameter(
                f"{twin} differs from its notebook: run it, or overwrite it with --force"
            )
        twin.write_text(fresh)
        print(twin)


@app.command()
def run(chapters: Chapters = None, force_text: Annotated[bool, typer.Option("--force-text")] = False):
    """Fold in edited text, execute, normalize and save each chapter (default: all in _toc.yml)."""
    paths = [find_chapter(name) for name in chapters] if chapters else toc_chapters()
    # One thread each, because two kernels that contend for the same cores take several times as long.
    environment = {"OMP_NUM_THREADS": "1"}
    if not asyncio.run(run_chapters(paths, force_text, environment)):
        raise typer.Exit(1)


async def run_chapters(paths, force_text, environment):
    """Run chapters two at a time; False if any of them failed."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def run_one(path):
        async with gate:
            try:
                await run_chapter(path, force_text, environment)
            except (OSError, ValueError, RuntimeError) as error:
                print(f"{path.stem}: {error}", file=sys.stderr, flush=True)
                return False
            return True

    return all(await asyncio.gather(*map(run_one, paths)))


@app.command()
def lint(chapters: Chapters = None):
    """Say which rule of CONTRIBUTING.md is broken in which cell of each chapter (default: all)."""
    paths = [find_chapter(name) for name in chapters] if chapters else book_chapters()
    findings = [finding for path in paths for finding in lint_notebook(path)]
    print("\n".join(findings) or f"{len(paths)} chapters: no findings")
    if findings:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()

"""The repository's address reaches the configuration and every setup cell, and nothing else changes."""

import subprocess
import sys

import nbformat
import pytest

from tests.grading.toy import toy_cells
from tools import repository

PLACEHOLDER = "https://github.com/YOUR_ACCOUNT/gm-lab"
REAL = "https://github.com/ada/gm-lab"
CONFIG = (
    "title: A book  # kept\nrepository:\n  url: {url}\n  branch: main\nother:\n  url: https://example.org\n"
)


def test_address_stands_in_pyproject(tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\n# why\nrepository = "{REAL}"\n')
    assert repository.repository_url(tmp_path / "pyproject.toml") == REAL
    assert repository.repository_url().startswith("https://")


@pytest.mark.parametrize(("url", "expected"), [(PLACEHOLDER, True), (REAL, False), (REAL + "_2", False)])
def test_placeholder_is_an_impossible_account(url, expected):
    assert repository.is_placeholder(url) == expected


@pytest.mark.parametrize("url", [PLACEHOLDER, REAL])
def test_setup_cell_is_short_and_says_what_it_is(url):
    cell = repository.setup_cell(url)
    assert cell.startswith("# Setup")
    assert len(cell.splitlines()) <= 10
    assert ("%pip install" in cell) == (url == REAL)
    assert repository.is_setup_cell(nbformat.v4.new_code_cell(cell))


def test_setup_cell_does_nothing_where_the_package_is():
    subprocess.run([sys.executable, "-c", repository.setup_cell(PLACEHOLDER)], check=True)


def test_setup_cell_with_the_placeholder_says_what_to_do():
    missing = repository.setup_cell(PLACEHOLDER).replace(
        'find_spec("gm_lab")', 'find_spec("no_such_package")'
    )
    failed = subprocess.run([sys.executable, "-c", missing], capture_output=True, text=True)
    assert failed.returncode == 1
    assert "pip install -e ." in failed.stderr


def test_stamp_config_changes_one_line():
    assert repository.stamp_config(CONFIG.format(url=PLACEHOLDER), REAL) == CONFIG.format(url=REAL)


def test_stamp_config_refuses_a_file_without_the_line():
    with pytest.raises(ValueError, match="repository:"):
        repository.stamp_config("title: A book\n", REAL)


def test_stamp_notebook_replaces_only_the_setup_cell(tmp_path):
    path = tmp_path / "03-toy.ipynb"
    cells = [
        nbformat.v4.new_code_cell(repository.setup_cell(PLACEHOLDER)),
        nbformat.v4.new_code_cell("print(1)", outputs=[nbformat.v4.new_output("stream", text="1\n")]),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert repository.stamp_notebook(path, REAL)
    stamped = nbformat.read(path, as_version=4).cells
    assert [cell.source for cell in stamped] == [repository.setup_cell(REAL), "print(1)"]
    assert stamped[1].outputs == cells[1].outputs
    assert not repository.stamp_notebook(path, REAL)


def test_the_address_reaches_chapters_sources_and_releases(tmp_path):
    (tmp_path / "_config.yml").write_text(CONFIG.format(url=PLACEHOLDER))
    (tmp_path / "pyproject.toml").write_text(f'repository = "{REAL}"\n')
    setup = nbformat.v4.new_code_cell(repository.setup_cell(PLACEHOLDER))
    source = nbformat.v4.new_notebook(cells=[setup, *toy_cells()])
    names = ["book/vae/10-toy.ipynb", "instructor/assignments/toy.ipynb"]
    names += [f"{folder}/toy.ipynb" for folder in repository.RELEASES]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True)
        nbformat.write(source, tmp_path / name)
    repository.main(tmp_path)
    for name in names:
        notebook = nbformat.read(tmp_path / name, as_version=4)
        assert notebook.cells[0].source == repository.setup_cell(REAL)
        assert ("sesame" in nbformat.writes(notebook)) == (name in names[:2])

"""The repository's address: it stands in pyproject.toml, and this stamps it everywhere else.

`python -m tools.repository` writes it into `_config.yml` and into the setup cell of every notebook. Until an
owner sets a real address it is a placeholder that cannot exist; then the setup cell says what to do, and the
Sphinx extension hides the buttons.
"""

import re
from pathlib import Path

import nbformat

from gm_lab.grading.assignment import release
from tools.normalize import set_cell_ids

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ("book/assignments", "gm_lab/grading/releases")
SETUP_TITLE = "# Setup: find gm_lab, the package of this book."


def repository_url(pyproject=ROOT / "pyproject.toml"):
    """The address of the repository, from `project.urls.repository`."""
    return re.search(r'^repository = "(.+)"$', Path(pyproject).read_text(), re.MULTILINE)[1]


def is_placeholder(url):
    """True if the account in `url` has an underscore, which no GitHub account can have."""
    return "_" in url.split("/")[3]


def setup_cell(url):
    """The source of the first code cell of every chapter: it installs gm_lab only where it is missing."""
    if is_placeholder(url):
        install = (
            "    raise ModuleNotFoundError(\n"
            '        "gm_lab is not installed. In a copy of this book\'s repository, run: pip install -e ."\n'
            "    )"
        )
    else:
        install = f'    %pip install -q "gm-lab @ git+{url}"'
    return (
        f"{SETUP_TITLE} Google Colab installs it here.\n"
        "from importlib.util import find_spec\n\n"
        f'if find_spec("gm_lab") is None:\n{install}'
    )


def is_setup_cell(cell):
    """True if `cell` is a setup cell, whatever address it holds."""
    return cell.cell_type == "code" and cell.source.startswith(SETUP_TITLE)


def stamp_config(text, url):
    """The text of `_config.yml` with `url` in it."""
    text, found = re.subn(r"^(repository:\n  url:).*$", rf"\1 {url}", text, flags=re.MULTILINE)
    if found != 1:
        raise ValueError("_config.yml: expected a line 'repository:' and right below it '  url: …'")
    return text


def stamp_notebook(path, url):
    """Write the setup cell for `url` over the one in the notebook at `path`; True if that changes it."""
    notebook = nbformat.read(path, as_version=4)
    changed = False
    for cell in filter(is_setup_cell, notebook.cells):
        changed = changed or cell.source != setup_cell(url)
        cell.source = setup_cell(url)
    if changed:
        set_cell_ids(notebook)
        nbformat.write(notebook, path)
    return changed


def main(root=ROOT):
    """Stamp the address into `_config.yml`, every chapter, and every assignment, source and release."""
    url = repository_url(root / "pyproject.toml")
    config = root / "_config.yml"
    config.write_text(stamp_config(config.read_text(), url))
    sources = sorted(root.glob("instructor/assignments/*.ipynb"))
    released = {folder / path.name: path for path in sources for folder in (root / name for name in RELEASES)}
    chapters = [path for path in sorted(root.glob("book/*/*.ipynb")) if path not in released]
    changed = [path for path in [*chapters, *sources] if stamp_notebook(path, url)]
    for path, source in released.items():
        nbformat.write(release(nbformat.read(source, as_version=4)), path)
    print(f"{url}: _config.yml and {len(changed)} changed notebooks")


if __name__ == "__main__":
    main()

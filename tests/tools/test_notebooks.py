"""Text, run, normalize, lint: on a toy chapter that keeps every rule, and on copies that break one each."""

import asyncio
import base64
import copy
import io
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image
from typer.testing import CliRunner

from tools import lint, notebooks, posters
from tools.normalize import WIDGET_VIEW, cell_ids, clean_outputs, normalize
from tools.repository import is_setup_cell

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
WIDGET_HTML = (
    '<div class="gm-widget" id="toy" style="height: 50px">0</div>'
    '<script type="module">toy.textContent = 6 * 7; toy.dataset.ready = ""</script>'
)
TOY = (
    f"""\
# 3. Toys

A promise.

**You will be able to**

- count,
- measure
  what is measured,
- compare.

```{{code-cell}} ipython3
from IPython.display import display
```

## A sum

One is the limit, by [Euler (1748)](https://example.org/euler), who says 0.99. We write $0.5$ and `0.25`.

$$ \\sum_{{k=1}}^\\infty 2^{{-k}} = 1 \\tag{{3.1}} $$

See (3.1) and the [next](03-toy.ipynb).

```{{code-cell}} ipython3
:tags: [nbval-check-output]

print( 1 )
```

```{{code-cell}} ipython3
:tags: [nbval-check-output]

print(2)
```

```{{code-cell}} ipython3
:tags: [nbval-check-output]

print(3)
```

> **Task.** Make it large.

```{{code-cell}} ipython3
---
mystnb:
  image:
    alt: The answer.
---
html = (
    '<div class="gm-widget" id="toy" style="height: 50px">0</div>'
    '<script type="module">toy.textContent = 6 * 7; toy.dataset.ready = ""</script>'
)
view = {{"{WIDGET_VIEW}": {{"model_id": "1"}}}}
display({{"text/html": html, "text/plain": "Toy()", **view}}, raw=True)
```

```{{code-cell}} ipython3
---
mystnb:
  image:
    alt: A dot.
---
png = "{PNG}"
display({{"image/png": png, "text/plain": "dot"}}, raw=True)
```

## Pitfalls

> **Pitfall.** Do not fall.

## Exercises
"""
    + "".join(
        f"""
### Exercise 3.{k}

Count to {k}.

```{{code-cell}} ipython3
:tags: [hide-cell]

# @title Solution 3.{k}
print({k})
```
"""
        for k in (1, 2, 3)
    )
    + """
## Recap

One line.

| symbol | variable |
|---|---|
| $x$ | `x` |

## References

- [Euler (1748)](https://example.org/euler)
"""
)


def invoke(*arguments):
    return CliRunner().invoke(notebooks.app, [str(argument) for argument in arguments])


def make_book(folder):
    """A book of one chapter that exists as text only; returns the path of its notebook to be."""
    path = folder / "book" / "foundations" / "03-toy.ipynb"
    path.parent.mkdir(parents=True)
    (folder / "book" / "appendix").mkdir()
    (folder / "book" / "appendix" / "references.bib").write_text(
        "@book{euler, url = {https://example.org/euler}}"
    )
    path.with_suffix(".myst.md").write_text(TOY)
    return path


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The toy chapter after one run."""
    path = make_book(tmp_path_factory.mktemp("toy"))
    result = invoke("run", path)
    assert result.exit_code == 0, result.output
    return path


# Run


def test_run_stores_a_chapter_that_passes_the_lint(toy):
    if posters.find_chromium() is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine: the toy chapter has no poster")
    assert lint.lint_notebook(toy) == []


def test_run_stores_normalized_cells(toy):
    notebook = nbformat.read(toy, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert is_setup_cell(code[0])
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [cell.id for cell in notebook.cells] == cell_ids(notebook)
    assert len(set(cell_ids(notebook))) == len(notebook.cells)
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert code[2].source == "print(1)"  # formatted
    assert code[-1].metadata == {
        "tags": ["hide-cell"],
        "jupyter": {"source_hidden": True},
        "cellView": "form",
    }
    widget = code[5].outputs[0].data
    assert WIDGET_VIEW not in widget
    assert widget["text/html"] == WIDGET_HTML


def test_running_again_changes_no_byte(toy):
    before = toy.read_bytes(), notebooks.twin_of(toy).read_bytes()
    assert invoke("run", toy).exit_code == 0
    assert (toy.read_bytes(), notebooks.twin_of(toy).read_bytes()) == before


def test_text_is_what_the_author_wrote(toy):
    text = notebooks.twin_of(toy).read_text()
    assert text.strip() == TOY.replace("print( 1 )", "print(1)").strip()
    assert "source_hidden" not in text


def test_a_failing_cell_is_named_and_nothing_is_saved(tmp_path):
    path = make_book(tmp_path)
    notebooks.twin_of(path).write_text(TOY.replace("print(2)", "1 / 0"))
    result = invoke("run", path)
    assert result.exit_code == 1
    assert "03-toy: cell 6 failed" in result.output
    assert "ZeroDivisionError" in result.output
    assert not path.exists()


def test_two_chapters_run_with_one_thread_each(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    show_threads = "```{code-cell}\nimport os\nprint(os.environ['OMP_NUM_THREADS'], os.getcwd())\n```\n"
    paths = [tmp_path / "01-a.ipynb", tmp_path / "02-b.ipynb"]
    for path in paths:
        notebooks.twin_of(path).write_text(show_threads)
    assert invoke("run", *paths).exit_code == 0
    for path in paths:
        assert nbformat.read(path, as_version=4).cells[-1].outputs[0].text == f"1 {tmp_path}\n"


@pytest.mark.browser
def test_poster_shows_the_running_widget(toy):
    if posters.find_chromium() is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine: nothing can take a picture")
    [output] = posters.widget_outputs(nbformat.read(toy, as_version=4))
    image = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert image.size == (2 * posters.WIDTH, 100)
    assert len(image.convert("L").getcolors()) > 2  # the script wrote 42 on white


def test_without_chromium_a_poster_is_kept_or_counted_as_missing(monkeypatch):
    monkeypatch.setattr(posters, "find_chromium", lambda: None)
    output = new_output("display_data", {"text/html": WIDGET_HTML})
    fresh = nbformat.v4.new_notebook(cells=[new_code_cell("toy", outputs=[output])])
    stored = copy.deepcopy(fresh)
    stored.cells[0].outputs[0].data["image/png"] = PNG
    assert asyncio.run(posters.add_posters(fresh, None)) == 1
    assert asyncio.run(posters.add_posters(fresh, stored)) == 0
    assert fresh.cells[0].outputs[0].data["image/png"] == PNG


# Text and notebook


@pytest.fixture
def pair(toy, tmp_path):
    """A copy of the toy chapter and its twin, the twin the newer one."""
    path = tmp_path / toy.name
    path.write_bytes(toy.read_bytes())
    notebooks.twin_of(path).write_bytes(notebooks.twin_of(toy).read_bytes())
    return path


def edit(path, old, new, age):
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, (age, age))


def titles(notebook):
    return notebook.cells[0].source.splitlines()[0]


def test_newer_text_is_folded_in(pair):
    edit(pair, "", "", age=1000)
    edit(notebooks.twin_of(pair), "# 3. Toys", "# 3. Text", age=2000)
    assert titles(notebooks.read_sources(pair)) == "# 3. Text"


def test_untouched_text_does_not_hide_a_newer_notebook_that_says_the_same(pair):
    edit(pair, "", "", age=2000)
    edit(notebooks.twin_of(pair), "", "", age=1000)
    assert titles(notebooks.read_sources(pair)) == "# 3. Toys"


@pytest.mark.parametrize("notebook_age", [1000, 3000])
def test_an_edited_notebook_is_never_overwritten(pair, notebook_age):
    edit(pair, "# 3. Toys", "# 3. Notebook", age=notebook_age)
    edit(notebooks.twin_of(pair), "# 3. Toys", "# 3. Text", age=2000)
    with pytest.raises(ValueError, match="--force-text"):
        notebooks.read_sources(pair)
    assert titles(notebooks.read_sources(pair, force_text=True)) == "# 3. Text"


def test_older_text_never_overwrites_a_notebook_that_came_from_elsewhere(pair):
    edit(notebooks.twin_of(pair), "# 3. Toys", "# 3. Text", age=1000)
    with pytest.raises(ValueError, match="--force-text"):
        notebooks.read_sources(pair)


def test_without_text_the_notebook_is_run_as_it_is(pair):
    notebooks.twin_of(pair).unlink()
    assert titles(notebooks.read_sources(pair)) == "# 3. Toys"


def test_text_does_not_overwrite_an_edited_twin(pair):
    edit(notebooks.twin_of(pair), "# 3. Toys", "# 3. Text", age=2000)
    assert invoke("text", pair).exit_code == 2
    assert notebooks.twin_of(pair).read_text().startswith("# 3. Text")
    assert invoke("text", pair, "--force").exit_code == 0
    assert notebooks.twin_of(pair).read_text().startswith("# 3. Toys")


def test_text_edited_during_the_run_is_kept_and_counts_as_newer(pair):
    twin = notebooks.twin_of(pair)
    before = {pair: pair.read_bytes(), twin: twin.read_bytes()}
    edit(twin, "# 3. Toys", "# 3. Text", age=1000)
    notebooks.save(pair, nbformat.read(pair, as_version=4), before)
    assert titles(notebooks.read_sources(pair)) == "# 3. Text"


def test_a_notebook_edited_during_the_run_is_kept(pair):
    before = {pair: pair.read_bytes()}
    edit(pair, "# 3. Toys", "# 3. Notebook", age=1000)
    with pytest.raises(RuntimeError, match="somebody else"):
        notebooks.save(pair, nbformat.read(pair, as_version=4), before)
    assert titles(nbformat.read(pair, as_version=4)) == "# 3. Notebook"


def test_find_chapter(toy, monkeypatch):
    monkeypatch.setattr(notebooks, "BOOK", toy.parent.parent)
    for name in ("03", "foundations/03-toy", toy, notebooks.twin_of(toy), toy.with_suffix("")):
        assert notebooks.find_chapter(str(name)) == toy
    assert notebooks.book_chapters() == [toy]
    assert invoke("text", "04").exit_code == 2


def test_toc_chapters(tmp_path):
    toc = tmp_path / "_toc.yml"
    toc.write_text(
        "root: book/index\nparts:\n- chapters:\n  - file: book/vae/10-a\n  - file: book/appendix/notation\n"
    )
    assert notebooks.toc_chapters(toc) == [tmp_path / "book/vae/10-a.ipynb"]


# Normalize


def stream(text, name="stdout"):
    return new_output("stream", text=text, name=name)


def data(**kinds):
    return new_output("display_data", {kind.replace("_", "/"): value for kind, value in kinds.items()})


VIEW = {WIDGET_VIEW: {"model_id": "1"}}


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([stream("a\n"), stream("b\n")], [stream("a\nb\n")]),
        ([stream("a\n"), stream("b\n", "stderr")], [stream("a\n"), stream("b\n", "stderr")]),
        ([stream("\r 10%|█  |", "stderr"), stream("\r          \r", "stderr")], []),
        ([stream("\r 50%|██ |\r      \rdone\n")], [stream("done\n")]),
        ([stream("a\r\nb\n")], [stream("a\nb\n")]),
        ([new_output("display_data", VIEW | {"text/plain": " 50%|██ | 1/2"})], []),
        ([new_output("display_data", VIEW | {"text/html": "<b>"})], [data(text_html="<b>")]),
        ([data(text_plain="50%|")], [data(text_plain="50%|")]),
    ],
)
def test_clean_outputs(outputs, expected):
    assert clean_outputs(outputs) == expected


def test_normalize_strips_what_editors_add():
    added = {"execution": {"iopub.execute_input": "12:00"}, "tags": [], "collapsed": True}
    cells = [new_code_cell("x", metadata=added), new_code_cell("x"), new_code_cell("")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata = nbformat.from_dict({"widgets": {}, "colab": {}, "kernelspec": {"name": "mine"}})
    normalize(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    first, second = notebook.cells
    assert first.metadata == {}
    assert second.id == f"{first.id}-2"
    nbformat.validate(notebook)


# Lint: every rule fires on a chapter that breaks it, and only there


def at(notebook, start):
    """The index of the cell that starts with this."""
    return next(i for i, cell in enumerate(notebook.cells) if cell.source.startswith(start))


def prose(text):
    """Add a paragraph."""
    return lambda notebook: notebook.cells.insert(4, new_markdown_cell(text))


def code(source, *outputs, **metadata):
    """Add a code cell."""
    return lambda notebook: notebook.cells.insert(
        4, new_code_cell(source, outputs=list(outputs), metadata=metadata)
    )


def replaced(old, new):
    """Write something else in every cell."""

    def change(notebook):
        assert any(old in cell.source for cell in notebook.cells)
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return change


def tagged(start, *tags):
    """Give a cell these tags only."""

    def change(notebook):
        notebook.cells[at(notebook, start)].metadata["tags"] = list(tags)

    return change


def without(start):
    """Delete a cell."""
    return lambda notebook: notebook.cells.pop(at(notebook, start))


def without_output(start, kind):
    """Delete one representation of a cell's output."""
    return lambda notebook: notebook.cells[at(notebook, start)].outputs[0].data.pop(kind)


def without_alt(start):
    """Delete a cell's alternative text."""
    return lambda notebook: notebook.cells[at(notebook, start)].metadata.pop("mystnb")


ERROR = new_output("error", ename="ValueError", evalue="no", traceback=[])
BROKEN = [
    ("size", prose("x" * 1_500_001)),
    ("setup", without("# Setup")),
    ("setup", replaced("Google Colab", "Somebody")),
    ("setup", lambda notebook: notebook.cells.append(copy.deepcopy(notebook.cells[at(notebook, "# Setup")]))),
    ("ruff", code("import os")),
    ("ruff", code("x = 'single'")),
    ("code_length", code("\n".join(f"x = {i}" for i in range(61)))),
    ("clean_outputs", code("x", stream("oops\n", "stderr"))),
    ("clean_outputs", code("x", stream("a.py:1: UserWarning: no\n"))),
    ("clean_outputs", code("x", stream("/home/ada/x\n"))),
    ("clean_outputs", code("x", data(text_html='<a href="/tmp/x">'))),
    ("clean_outputs", code("x", data(text_plain="lib/python3/site-packages/x"))),
    ("clean_outputs", code("x", data(text_plain="<Axes at 0x7f0123456789>"))),
    ("clean_outputs", code("x", stream("100%|███| 3/3\n"))),
    ("clean_outputs", code("x", ERROR)),
    ("widgets", code("x", new_output("display_data", VIEW | {"text/plain": "IntSlider()"}))),
    ("widgets", without_output("html = (", "image/png")),
    ("alternative_text", without_alt("png = ")),
    ("alternative_text", without_alt("html = (")),
    ("known_answers", tagged("print(2)")),
    ("known_answers", code("x = 1", tags=["nbval-check-output"])),
    ("portable_markdown", prose("See {ref}`this`.")),
    ("portable_markdown", prose("```{note}\nA note.\n```")),
    ("portable_markdown", prose(":::{note}\nA note.\n:::")),
    ("portable_markdown", prose("(label)=\n")),
    ("portable_markdown", code('glue("x", x)')),
    ("equations", prose("$$ x \\tag{3.1} $$")),
    ("equations", prose("$$ x \\tag{4.1} $$")),
    ("equations", prose("$$ x \\tag{3.2} \\\\ y \\tag{3.3} $$")),
    ("equations", prose("So $x \\tag{3.2}$.")),
    ("equation_references", prose("By (3.7).")),
    ("equation_references", prose("By (9.1).")),
    ("callouts", prose("> Just a quote.")),
    ("callouts", prose("> **Beware.** A word nobody knows.")),
    ("relative_links", prose("[none](04-none.ipynb#part)")),
    ("relative_links", prose("![none](none.png)")),
    ("citations", prose("[Gauss (1809)](https://example.org/gauss)")),
    ("citations", prose("[a paper](https://arxiv.org/abs/1312.6114)")),
    ("typed_numbers", prose("The gap is 0.25 nats.")),
    ("typed_numbers", prose("| gap | 0.25 |\n|---|---|")),
    ("title", replaced("# 3. Toys", "# 4. Toys")),
    ("title", prose("# 3. Again")),
    ("arc", replaced("**You will be able to**", "Goals:")),
    ("arc", replaced("## Exercises", "## Practice")),
    ("arc", lambda notebook: notebook.cells.insert(1, new_markdown_cell("## Recap"))),
    ("goals", replaced("- count,\n", "")),
    ("widget_with_task", replaced("> **Task.**", "> **Note.**")),
    ("widget_with_task", without("html = (")),
    ("pitfalls", replaced("> **Pitfall.**", "> **Note.**")),
    ("exercises", replaced("### Exercise 3.3", "### Exercise 3.4")),
    ("exercises", replaced("### Exercise 3.3", "### Extra")),
    ("solutions", without("# @title Solution 3.2")),
    ("solutions", tagged("# @title Solution 3.2")),
    ("solutions", replaced("# @title Solution 3.2", "# @title Solution 3.1")),
    ("solutions", replaced("# @title Solution 3.2", "print()\n# @title Solution 3.2")),
    ("recap", replaced("|---|---|", "no table")),
]
# What is broken after the notebook was stored, so that normalizing would mend it.
BROKEN_AFTER = [
    ("normalized", lambda notebook: notebook.metadata.update(colab={})),
    ("normalized", lambda notebook: notebook.cells.append(new_markdown_cell(" "))),
    ("normalized", lambda notebook: notebook.cells[0].update(source="# 3. Toys and more")),
    ("execution_counts", lambda notebook: notebook.cells[at(notebook, "print(2)")].update(execution_count=9)),
    ("widgets", lambda notebook: notebook.metadata.update(widgets={})),
    ("solutions", lambda notebook: notebook.cells[at(notebook, "# @title")].metadata.pop("cellView")),
    ("solutions", lambda notebook: notebook.cells[at(notebook, "# @title")].metadata.pop("jupyter")),
    (
        "clean_outputs",
        lambda notebook: notebook.cells[at(notebook, "print(2)")].update(outputs=[stream("\r1\n")]),
    ),
]


def broken(toy, tmp_path, change, store=normalize):
    """A changed copy of the toy chapter."""
    path = make_book(tmp_path)
    notebook = nbformat.read(toy, as_version=4)
    for output in posters.widget_outputs(notebook):
        output.data.setdefault("image/png", PNG)
    change(notebook)
    nbformat.write(store(notebook), path)
    return lint.Chapter(path, nbformat.read(path, as_version=4))


@pytest.mark.parametrize(("rule", "change"), BROKEN, ids=lambda part: part if isinstance(part, str) else "")
def test_lint_finds(rule, change, toy, tmp_path):
    assert list(getattr(lint, rule)(broken(toy, tmp_path, change)))


@pytest.mark.parametrize(
    ("rule", "change"), BROKEN_AFTER, ids=lambda part: part if isinstance(part, str) else ""
)
def test_lint_finds_after_normalizing(rule, change, toy, tmp_path):
    assert list(getattr(lint, rule)(broken(toy, tmp_path, change, store=lambda notebook: notebook)))


def test_lint_of_a_chapter_that_was_never_run(tmp_path):
    [finding] = lint.lint_notebook(tmp_path / "07-new.ipynb")
    assert finding.endswith("there is no notebook yet: run the chapter")


def test_lint_has_a_test_for_every_rule():
    assert {rule.__name__ for rule in lint.RULES} == {rule for rule, _ in BROKEN + BROKEN_AFTER}


@pytest.mark.parametrize(
    "text",
    [
        "Constants such as $0.5$, `0.25`, and\n\n```\n0.75\n```\n\nare no measurements; see exercise 3.1.",
        "Nobody measured [chapter 0.5](03-toy.ipynb), `x{y}`, and $\\mathbb{E}$.",
        "> **Definition (sum).** Adding.",
        "$$\n\\begin{aligned} a &= b \\\\ &= c \\tag{3.2} \\end{aligned}\n$$\n\nThis is (3.2).",
        "[doi](https://example.org/euler/)",
    ],
)
def test_lint_lets_good_prose_pass(text, toy, tmp_path):
    assert lint.lint_notebook(broken(toy, tmp_path, prose(text)).path) == []


def test_lint_command_prints_where_and_what_and_fails(toy, tmp_path):
    path = broken(toy, tmp_path, prose("The gap is 0.25 nats.")).path
    result = invoke("lint", path)
    assert result.exit_code == 1
    assert f"{path}: cell 5: typed-numbers: 0.25: measured numbers" in result.output

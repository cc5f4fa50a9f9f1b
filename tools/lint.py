"""What CONTRIBUTING.md asks of a chapter, as far as a program can see it: one small function a rule.

A rule takes a Chapter and yields findings (cell number from 1, what to do). Its name is the rule's name.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

import nbformat

from tools.normalize import PROGRESS, WIDGET_VIEW, is_widget, normalize
from tools.repository import ROOT, is_setup_cell, repository_url, setup_cell

LARGEST = 1_500_000  # bytes
LONGEST = 60  # lines of a visible code cell
CALLOUT = re.compile(r"> \*\*(Definition|Key idea|Note|Pitfall|Task|Proof)\b[^*]*[.:]\*\*")
EXERCISE = re.compile(r"^### Exercise (\d+)\.(\d+)", re.MULTILINE)
SOLUTION = re.compile(r"# @title Solution (\d+)\.(\d+)$", re.MULTILINE)
TAG = re.compile(r"\\tag\{([^}]*)\}")
# [text](target) and ![text](target); the target may hold one pair of parentheses, as a DOI does.
LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(<?((?:[^()\s<>]|\([^()\s]*\))*)>?[^()]*?\)")
YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
SCHOLARLY = re.compile(r"https?://(?:www\.)?(?:arxiv\.org|(?:dx\.)?doi\.org)/")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home|tmp|Users|usr/lib)/|site-packages|ipykernel_\d+")
# The parts of a chapter that a program can find, in their order.
ARC = {
    "**You will be able to**": r"^\*\*You will be able to",
    "> **Task.**": r"^> \*\*Task\b",
    "## Pitfalls": r"^## Pitfalls\s*$",
    "## Exercises": r"^## Exercises\s*$",
    "## Recap": r"^## Recap\s*$",
    "## References": r"^## References\s*$",
}
MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+", re.IGNORECASE)
WARNING = re.compile(r"^.*\b[A-Z]\w*Warning: ", re.MULTILINE)


@dataclass
class Chapter:
    """A notebook with what most rules ask for; cells are numbered from 1."""

    path: Path
    notebook: nbformat.NotebookNode

    @property
    def number(self):
        return int(self.path.name[:2])

    @property
    def book(self):
        return self.path.parent.parent

    @property
    def cells(self):
        return list(enumerate(self.notebook.cells, start=1))

    @property
    def markdown(self):
        return [(i, cell.source) for i, cell in self.cells if cell.cell_type == "markdown"]

    @property
    def code(self):
        return [(i, cell) for i, cell in self.cells if cell.cell_type == "code"]

    @property
    def outputs(self):
        return [(i, output) for i, cell in self.code for output in cell.outputs]


def lint_notebook(path):
    """Every finding in the notebook at `path`, as lines `file: cell N: rule: what to do`."""
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    if not re.match(r"\d\d-", path.name):
        return [f"{name}: a chapter's file is named NN-name.ipynb"]
    if not path.exists():
        return [f"{name}: there is no notebook yet: run the chapter"]
    chapter = Chapter(path, nbformat.read(path, as_version=4))
    return [
        f"{name}: cell {i}: {rule.__name__.replace('_', '-')}: {advice}"
        for rule in RULES
        for i, advice in rule(chapter)
    ]


# Reading Markdown


def without_fences(source):
    """Markdown with every code fence blanked out."""
    return re.sub(r"^ {0,3}(```+|~~~+)[^\n]*\n.*?^ {0,3}\1\s*$", "", source, flags=re.MULTILINE | re.DOTALL)


def without_code(source):
    """Markdown with every code fence and every `code span` blanked out."""
    return re.sub(r"(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", "", without_fences(source), flags=re.DOTALL)


def without_math(source):
    """Markdown with every $$formula$$ and every $formula$ blanked out."""
    source = re.sub(r"\$\$.*?\$\$", "", source, flags=re.DOTALL)
    return re.sub(r"(?<!\\)\$[^$\n]+(?:\n[^$\n]+)*?(?<!\\)\$", "", source)


def formulas(source):
    """The $$display formulas$$ of a Markdown cell."""
    return re.findall(r"\$\$(.*?)\$\$", without_code(source), flags=re.DOTALL)


def links(source):
    """(text, target) of every link and image of a Markdown cell."""
    return LINK.findall(without_math(without_code(source)))


def section(chapter, heading):
    """The cell number and the text of a second-level section; 1 and no text if there is none."""
    number, inside, lines = 1, False, []
    for i, source in chapter.markdown:
        for line in source.splitlines():
            if line.startswith("## "):
                inside = line.strip() == heading
                number = i if inside else number
            elif inside:
                lines.append(line)
    return number, "\n".join(lines)


@cache
def equation_tags(path):
    """The tags of all equations in the notebook at `path`."""
    cells = nbformat.read(path, as_version=4).cells
    return {
        tag
        for cell in cells
        if cell.cell_type == "markdown"
        for formula in formulas(cell.source)
        for tag in TAG.findall(formula)
    }


@cache
def cited_addresses(bibliography):
    """The `url` fields of a BibTeX file."""
    text = bibliography.read_text("utf-8") if bibliography.exists() else ""
    return {address.strip().rstrip("/") for address in re.findall(r'\burl\s*=\s*[{"]([^}"]+)[}"]', text)}


# Rules on the file and its cells


def size(chapter):
    if (found := chapter.path.stat().st_size) > LARGEST:
        yield (
            1,
            f"the notebook has {found / 1e6:.2f} MB, at most {LARGEST / 1e6}: draw smaller or fewer figures",
        )


def normalized(chapter):
    stored = json.loads(chapter.path.read_text("utf-8"))
    wanted = json.loads(nbformat.writes(normalize(nbformat.read(chapter.path, as_version=4))))
    if stored["metadata"] != wanted["metadata"] or stored["nbformat_minor"] != 5:
        yield 1, "foreign notebook metadata: run the chapter again"
    elif len(stored["cells"]) != len(wanted["cells"]):
        yield 1, "there are empty cells: run the chapter again"
    else:
        for i, (cell, good) in enumerate(zip(stored["cells"], wanted["cells"], strict=True), start=1):
            if cell != good and cell.get("execution_count") == good.get("execution_count"):
                yield i, "edited since it was run, or not stored by `run`: run the chapter again"


def setup(chapter):
    stamp = setup_cell(repository_url())
    for i, cell in chapter.code[:1]:
        if cell.source != stamp:
            yield (
                i,
                "the first code cell is not the setup cell: run the chapter or `python -m tools.repository`",
            )
    for i, cell in chapter.code[1:]:
        if is_setup_cell(cell):
            yield i, "the setup cell comes once: delete this one"


def ruff(chapter):
    command = [sys.executable, "-m", "ruff"]
    config = ["--no-cache", "--config", str(ROOT / "book" / "ruff.toml"), str(chapter.path)]
    check = subprocess.run(
        [*command, "check", "--output-format", "json", *config], capture_output=True, text=True
    )
    for finding in json.loads(check.stdout):
        yield finding["cell"], f"{finding['code']} {finding['message']}"
    if subprocess.run([*command, "format", "--check", *config], capture_output=True).returncode:
        yield 1, "code is not formatted: run the chapter again, or `ruff format`"


def code_length(chapter):
    for i, cell in chapter.code:
        lines = len(cell.source.splitlines())
        hidden = {"hide-input", "hide-cell", "remove-input", "remove-cell"} & set(
            cell.metadata.get("tags", [])
        )
        if lines > LONGEST and not hidden:
            yield i, f"{lines} visible lines, at most {LONGEST}: split the cell or move code to gm_lab"


# Rules on outputs


def execution_counts(chapter):
    for count, (i, cell) in enumerate(chapter.code, start=1):
        if cell.execution_count != count:
            yield i, f"execution count {cell.execution_count}, expected {count}: run the chapter again"


def clean_outputs(chapter):
    for i, output in chapter.outputs:
        data = output.get("data", {})
        text = output.get("text", "") + data.get("text/plain", "")
        everything = text + "".join(
            data.get(kind, "") for kind in ("text/html", "text/markdown", "text/latex")
        )
        if output.output_type == "error":
            yield i, f"the stored output is an error, {output.ename}: mend the cell"
        if output.get("name") == "stderr":
            yield i, "stderr in the output: mend its cause"
        if WARNING.search(text):
            yield i, "a warning in the output: mend its cause"
        if found := MACHINE_PATH.search(everything):
            yield i, f"a machine path in the output ({found[0]!r}): print something else"
        if MEMORY_ADDRESS.search(text):
            yield i, "a memory address in the output: end the cell with a semicolon"
        if "\r" in text or PROGRESS.search(text):
            yield i, "progress-bar debris in the output: let the bar vanish (leave=False)"


def widgets(chapter):
    if "widgets" in chapter.notebook.metadata:
        yield 1, "metadata.widgets: run the chapter again"
    for i, output in chapter.outputs:
        data = output.get("data", {})
        if WIDGET_VIEW in data:
            yield i, "widget-view in the output: show a widget of gm_lab, which has text/html, and run again"
        if is_widget(output) and "image/png" not in data:
            yield i, "a widget without a poster: run the chapter where there is a Chromium"


def alternative_text(chapter):
    for i, cell in chapter.code:
        images = [
            output
            for output in cell.outputs
            if any(kind.startswith("image/") for kind in output.get("data", {}))
        ]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if images and not str(alt).strip():
            yield i, "a picture without alternative text: say in mystnb.image.alt what it shows"


def known_answers(chapter):
    tagged = [(i, cell) for i, cell in chapter.code if "nbval-check-output" in cell.metadata.get("tags", [])]
    if len(tagged) < 3:
        yield 1, f"{len(tagged)} cells tagged nbval-check-output, at least 3: check more known answers"
    for i, cell in tagged:
        if not cell.outputs:
            yield i, "tagged nbval-check-output but prints nothing: print the value, or drop the tag"


# Rules on Markdown


def portable_markdown(chapter):
    for i, source in chapter.markdown:
        if re.search(r"^[\s>]*(?:`{3,}|~{3,})\s*\{[\w:.-]+\}|^[\s>]*:{3,}", source, re.MULTILINE):
            yield i, "a MyST directive: write a callout `> **Note.** …` or plain Markdown"
        if re.search(r"\{[\w:.-]+\}`[^`]+`", without_math(without_fences(source))):
            yield i, "a MyST role: write plain Markdown"
        if re.search(r"^\([\w:.-]+\)=\s*$", without_fences(source), re.MULTILINE):
            yield i, "a MyST target: delete it and link to the file"
    for i, cell in chapter.code:
        if re.search(r"\bglue\(|\bmyst_nb\b", cell.source):
            yield i, "glue: print the value where it is needed with notebook.say"


def equations(chapter):
    seen = set()
    for i, source in chapter.markdown:
        for formula in formulas(source):
            tags = TAG.findall(formula)
            if len(tags) > 1:
                yield i, f"{len(tags)} tags in one $$ block, at most 1: split the block"
            for tag in tags:
                if not re.fullmatch(rf"{chapter.number}\.[1-9]\d*", tag):
                    yield i, f"equation tag {tag}: number it {chapter.number}.k"
                if tag in seen:
                    yield i, f"equation tag {tag} is used twice: renumber"
                seen.add(tag)
        if TAG.search(re.sub(r"\$\$.*?\$\$", "", without_code(source), flags=re.DOTALL)):
            yield i, "a tag outside of a $$ block: put the equation on lines of its own"


def equation_references(chapter):
    for i, source in chapter.markdown:
        for number, index in re.findall(r"\((\d+)\.(\d+)\)", without_math(without_code(source))):
            found = (
                [chapter.path]
                if int(number) == chapter.number
                else chapter.book.glob(f"*/{int(number):02}-*.ipynb")
            )
            if not any(f"{number}.{index}" in equation_tags(path) for path in found):
                yield i, f"({number}.{index}) is no equation of a written chapter: mend the reference"


def callouts(chapter):
    for i, source in chapter.markdown:
        for quote in re.findall(r"(?:^ {0,3}>.*\n?)+", source, re.MULTILINE):
            if not CALLOUT.match(quote.lstrip()):
                yield i, f"blockquote {quote.strip()[:30]!r}: start it with > **Note.** or another known word"


def relative_links(chapter):
    for i, source in chapter.markdown:
        for _, target in links(source):
            file = unquote(target.split("#")[0])
            if not re.match(r"[a-z]+:", target) and file and not (chapter.path.parent / file).exists():
                yield i, f"no file {target}: mend the link, or write plain text"


def citations(chapter):
    known = cited_addresses(chapter.book / "appendix" / "references.bib")
    for i, source in chapter.markdown:
        for text, target in links(source):
            cited = SCHOLARLY.match(target) or (target.startswith("http") and YEAR.search(text))
            if cited and target.rstrip("/") not in known:
                yield i, f"{target} is no url in appendix/references.bib: add the work"


def typed_numbers(chapter):
    for i, source in chapter.markdown:
        text = re.sub(r"^#+ .*$", "\n", without_code(source), flags=re.MULTILINE)
        for paragraph in re.split(r"\n\s*\n", text):
            quoted = any(
                target.startswith("http") and YEAR.search(words) for words, target in LINK.findall(paragraph)
            )
            prose = re.sub(r"https?://\S+", "", LINK.sub("", without_math(paragraph)))
            prose = re.sub(
                r"\(\d+\.\d+\)|\b([Ee]xercise|[Ss]olution)s? \d+\.\d+(( and |, )\d+\.\d+)*", "", prose
            )
            numbers = re.findall(r"(?<![\w.])\d+\.\d+\b", prose)
            if numbers and not quoted:
                yield (
                    i,
                    f"{', '.join(numbers)}: measured numbers are printed by a cell; constants stand in $…$",
                )


# Rules on the arc


def arc(chapter):
    end = (0, 0)
    for name, pattern in ARC.items():
        places = [
            (i, found.start())
            for i, source in chapter.markdown
            for found in re.finditer(pattern, source, re.MULTILINE)
        ]
        if not places:
            yield 1, f"{name} is missing"
        elif places[0] < end:
            yield places[0][0], f"{name} comes too early"
        else:
            end = places[0]


def title(chapter):
    headings = [
        (i, line)
        for i, source in chapter.markdown
        for line in re.findall(r"^# .*$", without_code(source), re.MULTILINE)
    ]
    if not chapter.cells or not chapter.notebook.cells[0].source.startswith(f"# {chapter.number}. "):
        yield 1, f"the first cell starts with the title: # {chapter.number}. Title"
    for i, line in headings[1:]:
        yield i, f"{line!r}: a chapter has one first-level heading"


def goals(chapter):
    for i, source in chapter.markdown:
        _, found, rest = source.partition("**You will be able to")
        bullets = takewhile(lambda line: line[:2] in ("", "- ", "* ", "  "), rest.splitlines()[1:])
        count = sum(line[:2] in ("- ", "* ") for line in bullets)
        if found and not 3 <= count <= 5:
            yield i, f"{count} goals, expected 3 to 5 bullets"


def widget_with_task(chapter):
    task, shown = False, 0
    for i, cell in chapter.cells:
        if cell.cell_type == "markdown":
            task = re.search(r"^> \*\*Task\b", cell.source, re.MULTILINE)
        elif any(map(is_widget, cell.outputs)):
            shown += 1
            if not task:
                yield i, "a widget without something to do: put > **Task.** right before it"
    if not shown:
        yield 1, "the chapter shows no widget"


def pitfalls(chapter):
    i, text = section(chapter, "## Pitfalls")
    if "> **Pitfall" not in text:
        yield i, "## Pitfalls holds no > **Pitfall.** callout"


def recap(chapter):
    i, text = section(chapter, "## Recap")
    if not re.search(r"^\|[\s:|-]+\|\s*$", text, re.MULTILINE):
        yield i, "## Recap holds no table symbol → variable"


def exercises(chapter):
    found = [(i, int(n), int(k)) for i, source in chapter.markdown for n, k in EXERCISE.findall(source)]
    if not 3 <= len(found) <= 6:
        yield 1, f"{len(found)} exercises, expected 3 to 6"
    for expected, (i, n, k) in enumerate(found, start=1):
        if (n, k) != (chapter.number, expected):
            yield i, f"### Exercise {n}.{k}: expected {chapter.number}.{expected}"


def solutions(chapter):
    waiting = None  # the exercise that has no solution yet
    for i, cell in chapter.cells:
        if cell.cell_type == "markdown":
            for n, k in EXERCISE.findall(cell.source):
                if waiting:
                    yield (
                        waiting[0],
                        f"exercise {waiting[1]} has no solution cell: add # @title Solution {waiting[1]}",
                    )
                waiting = i, f"{n}.{k}"
        elif cell.cell_type == "code":
            folded = [
                "hide-cell" in cell.metadata.get("tags", []),
                cell.metadata.get("jupyter", {}).get("source_hidden", False),
                cell.metadata.get("cellView") == "form",
            ]
            first = SOLUTION.match(cell.source)
            if (first or any(folded)) and not all(folded):
                yield i, "not folded in book, Lab and Colab: tag it hide-cell and run the chapter"
            if first:
                number = f"{first[1]}.{first[2]}"
                if not waiting or waiting[1] != number:
                    yield i, f"solution {number} does not follow exercise {number}"
                waiting = None
            elif SOLUTION.search(cell.source):
                yield i, "# @title Solution N.k must be the first line of its cell"
    if waiting:
        yield waiting[0], f"exercise {waiting[1]} has no solution cell: add # @title Solution {waiting[1]}"


RULES = [
    size,
    normalized,
    setup,
    ruff,
    code_length,
    execution_counts,
    clean_outputs,
    widgets,
    alternative_text,
    known_answers,
    portable_markdown,
    equations,
    equation_references,
    callouts,
    relative_links,
    citations,
    typed_numbers,
    title,
    arc,
    goals,
    widget_with_task,
    pitfalls,
    exercises,
    solutions,
    recap,
]

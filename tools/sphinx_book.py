"""Sphinx extension of the book: portable Markdown made beautiful, and pages that need no other host.

While a page is read: a blockquote with a bold first word becomes an admonition, a formula is passed to
MathJax as Jupyter passes it, and a mention such as (10.3) links to its equation. While it is written: images
get their size, so that the page does not jump. At the end: a slim local MathJax is copied, figures shrink,
and the build fails if a page would load anything from another host.
"""

import importlib.util
import json
import re
import shutil
import struct
from html.parser import HTMLParser
from pathlib import Path

from docutils import nodes
from PIL import Image, ImageChops, ImageStat
from pybtex.database import Person, parse_file
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from tools.repository import is_placeholder

# Bold first word of a blockquote -> the theme's admonition class, which brings colour and icon.
CALLOUTS = {
    "Definition": "note",
    "Key idea": "tip",
    "Note": "note",
    "Pitfall": "warning",
    "Task": "important",
    "Proof": "seealso",
}
TAG = re.compile(r"\\tag\{([\w.]+)\}")
MENTION = re.compile(r"\((\d+\.\d+)\)")
# Where a number in brackets is not a mention, or where a link would be wrong.
NOT_PROSE = (nodes.FixedTextElement, nodes.literal, nodes.math, nodes.reference, nodes.title, nodes.raw)


# --- While a page is read ---------------------------------------------------------------------------------


class Callouts(SphinxTransform):
    """Turn `> **Pitfall.** text` into an admonition titled "Pitfall"."""

    default_priority = 400

    def apply(self):
        for quote in list(self.document.findall(nodes.block_quote)):
            label = callout_label(quote)
            if label:
                quote.replace_self(callout(quote, label))


def callout_label(quote: nodes.block_quote) -> nodes.strong | None:
    """Return the bold first word of a quote that starts with `**Pitfall.**`, and None for any other quote."""
    first = quote.children[0] if quote.children else None
    if not isinstance(first, nodes.paragraph):
        return None
    start = next((child for child in first.children if child.astext()), None)  # MyST begins with empty text
    return start if isinstance(start, nodes.strong) and start.astext().endswith((".", ":")) else None


def callout(quote: nodes.block_quote, label: nodes.strong) -> nodes.admonition:
    """Return the admonition that takes the quote's place; unknown labels look like notes."""
    first = quote.children[0]
    text = label.children[-1]  # the full stop goes
    title = nodes.title("", "", *label.children[:-1], nodes.Text(text.astext().rstrip(".:")))
    rest = first.children[first.index(label) + 1 :]
    if rest and isinstance(rest[0], nodes.Text):
        rest[0] = nodes.Text(rest[0].lstrip())
    body = [nodes.paragraph("", "", *rest)] if rest else []
    kind = next((kind for kind in CALLOUTS if title.astext().startswith(kind)), "Note")
    classes = [CALLOUTS[kind], kind.lower().replace(" ", "-")]
    return nodes.admonition("", title, *body, *quote.children[1:], classes=classes)


class Folds(SphinxTransform):
    """Name what a folded cell holds: a solution, or the code behind a figure or a sentence."""

    default_priority = 600

    def apply(self, **kwargs):
        for cell in self.document.findall(nodes.container):
            if cell.get("hide_mode"):
                what = "solution" if cell["hide_mode"] == "all" else "code"
                cell["prompt_show"], cell["prompt_hide"] = f"Show the {what}", f"Hide the {what}"


class Equations(SphinxTransform):
    r"""Set display formulas as Jupyter does, give a tagged one an anchor, and link the mentions to it.

    Sphinx would wrap a formula of several lines in `split`, inside which MathJax refuses `\tag`.
    """

    default_priority = 410  # after the callouts, whose titles hold no mentions

    def apply(self):
        anchors = {}
        for block in self.document.findall(nodes.math_block):
            formula = block.astext()
            block["nowrap"] = True
            block.children = [nodes.Text(rf"\[{formula}\]")]
            for tag in TAG.findall(formula):
                anchors[tag] = "equation-" + tag.replace(".", "-")
                block["ids"].append(anchors[tag])
        for text in list(self.document.findall(nodes.Text)):
            if not inside(text, NOT_PROSE):
                link_mentions(text, anchors)


def inside(node: nodes.Node, kinds: tuple) -> bool:
    """Tell whether any ancestor of the node is of one of these kinds."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False


def link_mentions(text: nodes.Text, anchors: dict[str, str]):
    """Replace each "(10.3)" in a text node by a link, if the page has an equation 10.3."""
    parts, end = [], 0
    for match in MENTION.finditer(text):
        if match[1] in anchors:
            parts.append(nodes.Text(text[end : match.start()]))
            parts.append(nodes.reference("", match[0], internal=True, refid=anchors[match[1]]))
            end = match.end()
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(text[end:])])


# --- Directives of the appendix ---------------------------------------------------------------------------


VENUES = ("journal", "booktitle", "publisher")


class References(SphinxDirective):
    """`{references} file.bib`: every work of the file by first author, its title a link to its `url`."""

    required_arguments = 1

    def run(self):
        self.env.note_dependency(self.arguments[0])
        path = Path(self.env.srcdir, self.env.docname).parent / self.arguments[0]
        works = parse_file(path, bib_format="bibtex").entries.values()
        items = [reference_item(work) for work in sorted(works, key=first_author_and_year)]
        return [nodes.bullet_list("", *items, classes=["references"])]


def first_author_and_year(work) -> tuple[str, str]:
    return " ".join(work.persons["author"][0].last_names).lower(), work.fields.get("year", "")


def reference_item(work) -> nodes.list_item:
    """Return "A. Author and B. Author (2014). Title. Venue." """
    missing = {"title", "year", "url"} - work.fields.keys()
    if missing:
        raise ExtensionError(f"{work.key} in the references has no {', '.join(sorted(missing))}")
    names = [author_name(person) for person in work.persons["author"]]
    authors = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    fields = {key: text.replace("{", "").replace("}", "") for key, text in work.fields.items()}
    line = nodes.paragraph("", f"{authors} ({fields['year']}). ")
    line += nodes.reference("", fields["title"], refuri=fields["url"], internal=False)
    line += nodes.Text(".")
    for venue in [fields[key] for key in VENUES if key in fields][:1]:
        line += [nodes.Text(" "), nodes.emphasis("", venue), nodes.Text(".")]
    return nodes.list_item("", line, ids=[work.key])


def author_name(person: Person) -> str:
    initials = [f"{name[0]}." for name in person.first_names + person.middle_names]
    return " ".join([*initials, *person.prelast_names, *person.last_names])


class BenchmarkResults(SphinxDirective):
    """`{benchmark-results} folder`: one section and table per JSON file, or a sentence where there is none.

    The files are those of `benchmarks.common.save`.
    """

    required_arguments = 1

    def run(self):
        self.env.note_reread()  # the files may come, change or go without a change to the page
        files = sorted((Path(self.env.srcdir, self.env.docname).parent / self.arguments[0]).glob("*.json"))
        if not files:
            text = "No benchmark has been run in this copy of the book yet."
            return [nodes.paragraph("", text)]
        return [part for path in files for part in benchmark_nodes(json.loads(path.read_text("utf-8")))]


def benchmark_nodes(result: dict) -> list[nodes.Node]:
    """Return a heading, the measured values beside their budgets, and the machine they were measured on."""
    rows = [
        (row["what"], quantity(row["value"], row["unit"]), quantity(row["budget"], row["unit"]), row["note"])
        for row in result["rows"]
    ]
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    return [
        nodes.rubric("", result["name"].replace("_", " ").capitalize()),
        table(("what", "measured", "at most", "how"), rows),
        nodes.paragraph("", f"Measured on {result['date']}: {machine}."),
    ]


def quantity(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if unit == "ratio" else f"{value:.4g} {unit}"


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> nodes.table:
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _ in columns), cols=len(columns))
    group += nodes.thead("", table_row(columns))
    group += nodes.tbody("", *map(table_row, rows))
    return nodes.table("", group)


def table_row(texts: tuple[str, ...]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", text)) for text in texts))


def escape_docstring(app, what, name, obj, options, lines: list[str]):
    """Make a plain-text docstring safe reStructuredText: `code` becomes literal, the rest stays as it is."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip())
    lines[:] = [line for text in paragraphs for line in (*escape_paragraph(text), "")]


def escape_paragraph(text: str) -> list[str]:
    pieces = text.split("`")  # every second piece stands between backticks
    for i, piece in enumerate(pieces):
        code = i % 2 and i + 1 < len(pieces) and piece.strip() == piece != ""
        pieces[i] = rf"\ ``{piece}``\ " if code else re.sub(r"([^\w\s]|_)", r"\\\1", piece)
    lines = "".join(pieces).splitlines()
    if any(line.startswith(" ") for line in lines):  # a layout of its own, kept line by line
        return ["| " + line for line in lines]
    return lines


# --- While a page is written ------------------------------------------------------------------------------


WAIT_FOR_FORMULAS = """
document.documentElement.classList.add("book-typesetting");
const showText = () => document.documentElement.classList.remove("book-typesetting");
document.addEventListener("DOMContentLoaded", () => window.MathJax?.startup?.promise.then(showText));
setTimeout(showText, 2000);
"""


def add_image_sizes(app, pagename, templatename, context, doctree):
    """Give every PNG its width and height, so that the browser reserves the space before it loads."""
    sources = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}

    def with_size(match):
        source = sources.get(match[1].rsplit("/", 1)[-1])
        if source is None or source.suffix != ".png":
            return match[0]
        width, height = png_size(source.read_bytes())
        return f'{match[0]} width="{width}" height="{height}"'

    context["body"] = re.sub(
        r'<img(?=[^>]*? src="([^"]+)")(?![^>]* width=)', with_size, context.get("body", "")
    )


def wait_for_formulas(app, pagename, templatename, context, doctree):
    """Hide the text of a page with formulas until they are set (at most 2 s), so that no line jumps."""
    if 'class="math' in context.get("body", ""):
        app.add_js_file(None, body=WAIT_FOR_FORMULAS)


def png_size(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels from the header of a PNG (PNG specification, section 11.2.1)."""
    return struct.unpack(">II", png[16:24])


def hide_links_to_nowhere(app, config):
    """Drop the repository and Colab buttons while the repository's address is still the placeholder."""
    options = config.html_theme_options
    url = options.get("repository_url")
    if url and is_placeholder(url):
        options.update(launch_buttons={}, use_repository_button=False)


# --- When all pages are written ---------------------------------------------------------------------------

# The theme's icons come twice: as web fonts and as a script of 1.5 MB. The fonts are enough, and need no
# preload (which a browser refuses for a page opened as a file).
ICON_EXTRAS = re.compile(
    r'<link rel="preload" as="font"[^>]*>\n?|<script src="[^"]*fontawesome[^"]*"></script>\n?'
)
ICON = re.compile(r"fa-[\w-]+")
ICON_RULE = re.compile(r'(?:\.fa-[\w-]+:before,?)+\{content:"[^"]*"\}')
LOADED = {"script", "img", "iframe", "source", "video", "audio", "embed", "object", "track"}
LINKED = {"stylesheet", "preload", "modulepreload", "prefetch", "icon", "shortcut icon", "manifest"}
FOREIGN = re.compile(r"(?:https?:)?//", re.IGNORECASE)
FOREIGN_CODE = re.compile(
    r"""url\(\s*["']?(?:https?:)?//[^)]*\)|@import\s+["'](?:https?:)?//[^"']*|\bimport\b[^;\n]*?["']https?://[^"']*"""
)


class ForeignAssets(HTMLParser):
    """Collect in `found` what a page would load from another host: tags, style sheets, imports."""

    def __init__(self):
        super().__init__()
        self.found, self.in_code = [], False

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        self.in_code = tag in ("script", "style")
        names = ("src", "srcset", "poster", "data") if tag in LOADED else ()
        if tag == "link" and attributes.get("rel", "").lower() in LINKED:
            names = ("href",)
        self.found += [attributes[name] for name in names if FOREIGN.match(attributes.get(name, "").strip())]
        self.found += FOREIGN_CODE.findall(attributes.get("style", ""))

    def handle_endtag(self, tag):
        self.in_code = False

    def handle_data(self, data):
        if self.in_code:
            self.found += FOREIGN_CODE.findall(data)


def page_defects(html: str) -> list[str]:
    """Return why a page would not work offline: what it loads from elsewhere, widgets that need a kernel."""
    parser = ForeignAssets()
    parser.feed(html)
    defects = [f"loads {address} from another host" for address in parser.found]
    if "widget-view+json" in html or "widget-state+json" in html:
        defects.append("holds a widget that is dead without a kernel (widget-view+json)")
    return defects


def finish(app, exception):
    """Copy MathJax, shrink figures, drop unused icons, and fail if a page would not work offline."""
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    copy_mathjax(out / "_static/mathjax")
    for figure in out.glob("_images/*.png"):
        shrink_figure(figure)
    for script in out.glob("_static/vendor/fontawesome/*/js"):
        shutil.rmtree(script)
    defects, icons = [], set()
    for page in sorted(out.rglob("*.html")):
        html = page.read_text("utf-8")
        slim = ICON_EXTRAS.sub("", html)
        if slim != html:
            page.write_text(slim, "utf-8")
        icons.update(ICON.findall(slim))
        defects += [f"{page.relative_to(out)}: {defect}" for defect in page_defects(slim)]
    for style in out.glob("_static/vendor/fontawesome/*/css/*.css"):
        style.write_text(keep_icons(style.read_text("utf-8"), icons), "utf-8")
    for style in out.glob("_static/**/*.css"):
        found = FOREIGN_CODE.findall(style.read_text("utf-8"))
        defects += [f"{style.relative_to(out)}: loads {address} from another host" for address in found]
    if defects:
        raise ExtensionError("pages that do not work offline:\n" + "\n".join(defects))


def copy_mathjax(target: Path):
    """Copy the components that `mathjax3_config` loads and the fonts: 1.3 of the package's 32 MB."""
    source = Path(
        importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations[0], "static/mathjax"
    )
    for name in ("startup", "core", "input/tex", "output/chtml", "a11y/assistive-mml"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / f"{name}.js", target / f"{name}.js")
    shutil.copytree(source / "output/chtml/fonts", target / "output/chtml/fonts", dirs_exist_ok=True)


def shrink_figure(path: Path):
    """Store a figure without alpha, and with 256 colours, a third of the size, where that shows nowhere."""
    with Image.open(path) as image:
        if image.mode != "RGBA" or image.getextrema()[3][0] < 255:
            return  # not as Matplotlib writes it (so perhaps done before), or transparent
        figure = image.convert("RGB")
    small = figure.quantize(256, dither=Image.Dither.NONE)
    error = ImageStat.Stat(ImageChops.difference(figure, small.convert("RGB"))).rms
    (small if max(error) <= 2 else figure).save(path, optimize=True)  # 2 of 255


def keep_icons(css: str, names: set[str]) -> str:
    """Return the icon style sheet with the rules of these icons only, such as `fa-bars`, of two thousand."""
    return ICON_RULE.sub(lambda rule: rule[0] if names.intersection(ICON.findall(rule[0])) else "", css)


def setup(app):
    app.add_transform(Callouts)
    app.add_transform(Folds)
    app.add_transform(Equations)
    app.add_directive("references", References)
    app.add_directive("benchmark-results", BenchmarkResults)
    # A page opened as a file must not fetch its neighbours: search shows titles there, without excerpts.
    summary = "if (location.protocol === 'file:') DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;"
    app.add_js_file(None, body=summary)
    app.connect("config-inited", hide_links_to_nowhere)
    app.connect("autodoc-process-docstring", escape_docstring)
    app.connect("html-page-context", add_image_sizes)
    app.connect("html-page-context", wait_for_formulas)
    app.connect("build-finished", finish, priority=900)  # after the theme's own
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

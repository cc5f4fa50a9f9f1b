"""The transforms of the Sphinx extension on tiny inputs."""

import re
import struct
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.utils import new_document
from PIL import Image
from pybtex.database import parse_string
from sphinx.errors import ExtensionError

from tools import sphinx_book


def document(*children: nodes.Node) -> nodes.document:
    page = new_document("page")
    page += list(children)
    return page


def quote(*children: nodes.Node) -> nodes.block_quote:
    # MyST begins a paragraph that starts in bold with an empty text
    return nodes.block_quote("", nodes.paragraph("", "", nodes.Text(""), *children))


def test_a_quote_with_a_bold_first_word_becomes_an_admonition():
    page = document(quote(nodes.strong("", "Pitfall."), nodes.Text(" Densities have units.")))
    sphinx_book.Callouts(page).apply()
    (admonition,) = page.children
    assert isinstance(admonition, nodes.admonition)
    assert admonition["classes"] == ["warning", "pitfall"]
    assert [child.astext() for child in admonition.children] == ["Pitfall", "Densities have units."]


def test_a_callout_keeps_what_follows_its_first_paragraph():
    block = quote(nodes.strong("", "Key idea:"))
    block += nodes.bullet_list("", nodes.list_item("", nodes.paragraph("", "one")))
    page = document(block)
    sphinx_book.Callouts(page).apply()
    assert page[0]["classes"] == ["tip", "key-idea"]
    assert [type(child) for child in page[0].children] == [nodes.title, nodes.bullet_list]


@pytest.mark.parametrize(
    "block",
    [
        quote(nodes.Text("All models are wrong.")),
        quote(nodes.strong("", "Bold"), nodes.Text(" without a full stop.")),
        nodes.block_quote(),
    ],
)
def test_other_quotes_stay_quotes(block):
    page = document(block)
    sphinx_book.Callouts(page).apply()
    assert page.children == [block]


def test_a_fold_says_what_it_holds():
    solution, figure, plain = (nodes.container(hide_mode=mode) for mode in ("all", "input", None))
    sphinx_book.Folds(document(solution, figure, plain)).apply()
    assert solution["prompt_show"] == "Show the solution"
    assert figure["prompt_hide"] == "Hide the code"
    assert "prompt_show" not in plain


def test_formulas_are_set_as_in_jupyter_and_mentions_link_to_them():
    formula = "\\begin{aligned} a &= b \\\\ &= c \\end{aligned} \\tag{10.3}"
    block = nodes.math_block(formula, formula, nowrap=False, number=None)
    prose = nodes.paragraph("", "By (10.3), not by (9.9), and again (10.3).")
    code = nodes.literal_block("", "f(10.3) (10.3)")
    page = document(block, prose, code)
    sphinx_book.Equations(page).apply()
    assert block["nowrap"]
    assert block.astext() == rf"\[{formula}\]"
    assert block["ids"] == ["equation-10-3"]
    links = list(page.findall(nodes.reference))
    assert [(link.astext(), link["refid"]) for link in links] == [("(10.3)", "equation-10-3")] * 2
    assert prose.astext() == "By (10.3), not by (9.9), and again (10.3)."
    assert code.children == [nodes.Text("f(10.3) (10.3)")]


BIB = """
@article{oord2016, author = {van den Oord, Aäron and Shlens, Jonathon B.}, title = {With {PixelCNN} inside},
  journal = {Some Journal 1}, year = {2016}, url = {https://example.org/1}}
"""


def test_a_reference_names_authors_year_title_and_venue():
    item = sphinx_book.reference_item(parse_string(BIB, "bibtex").entries["oord2016"])
    assert item.astext() == "A. van den Oord and J. B. Shlens (2016). With PixelCNN inside. Some Journal 1."
    assert next(item.findall(nodes.reference))["refuri"] == "https://example.org/1"


def test_a_reference_without_an_address_is_refused():
    work = parse_string(BIB.replace("url =", "note ="), "bibtex").entries["oord2016"]
    with pytest.raises(ExtensionError, match=r"oord2016 .* has no url"):
        sphinx_book.reference_item(work)


def test_benchmarks_become_a_table_with_units():
    rows = [
        {"what": "one step", "value": 2.40951, "unit": "ms", "budget": None, "note": "median of 9"},
        {"what": "fit over a loop", "value": 1.0092, "unit": "ratio", "budget": 1.05, "note": ""},
    ]
    result = {"name": "train_loop", "date": "2026-01-31", "machine": {"cores": 2}, "rows": rows}
    title, table, machine = sphinx_book.benchmark_nodes(result)
    assert title.astext() == "Train loop"
    assert [[entry.astext() for entry in row.children] for row in table.findall(nodes.row)] == [
        ["what", "measured", "at most", "how"],
        ["one step", "2.41 ms", "", "median of 9"],
        ["fit over a loop", "1.009", "1.05", ""],
    ]
    assert machine.astext() == "Measured on 2026-01-31: cores 2."


@pytest.mark.parametrize(
    "text",
    [
        "Two *args and |x| < 1, 2**3, a_ and `b` or ``c``; http://x.org",
        "1. not a list\n   - nor this\n ends:",
        "    log p(x) = a_b\n      + ...",
        ".. not-a-directive:: at all\n===\n>>> 1",
    ],
)
def test_any_docstring_is_safe_restructuredtext(text):
    lines = text.splitlines()
    sphinx_book.escape_docstring(None, "function", "f", None, None, lines)
    page = publish_doctree("\n".join(lines), settings_overrides={"report_level": 1, "halt_level": 1})
    plain = re.sub(r"[\s`]+", "", text)
    assert re.sub(r"\s+", "", page.astext()) == plain


def test_code_in_a_docstring_is_literal():
    page = publish_doctree("\n".join(sphinx_book.escape_paragraph("Calls `f(x)`, then stops.")))
    assert [code.astext() for code in page.findall(nodes.literal)] == ["f(x)"]


PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)


def test_images_get_their_size(tmp_path):
    (tmp_path / "figure.png").write_bytes(PNG)
    app = SimpleNamespace(srcdir=tmp_path, builder=SimpleNamespace(images={"figure.png": "f.png"}))
    context = {
        "body": '<img alt="a" src="../_images/f.png" /><img src="x.svg" /><img src="f.png" width="3" />'
    }
    sphinx_book.add_image_sizes(app, "page", "page.html", context, None)
    assert context["body"] == (
        '<img width="640" height="480" alt="a" src="../_images/f.png" />'
        '<img src="x.svg" /><img src="f.png" width="3" />'
    )


def shrunk(picture: Image.Image, path) -> Image.Image:
    picture.save(path)
    sphinx_book.shrink_figure(path)
    with Image.open(path) as image:
        return image.copy()


def test_a_figure_loses_colours_only_where_that_shows_nowhere(tmp_path):
    noise = [Image.effect_noise((256, 256), 80) for _ in "RGB"]
    plot = Image.linear_gradient("L").convert("RGBA")
    photo = Image.merge("RGBA", [*noise, Image.new("L", (256, 256), 255)])
    for picture, mode in ((plot, "P"), (photo, "RGB")):
        image = shrunk(picture, tmp_path / "figure.png")
        assert image.mode == mode
        assert image.convert("RGB").tobytes() == picture.convert("RGB").tobytes()


def test_a_transparent_figure_stays_as_it_is(tmp_path):
    assert shrunk(Image.new("RGBA", (4, 4), (255, 0, 0, 128)), tmp_path / "figure.png").mode == "RGBA"


def test_only_the_icons_in_use_keep_their_rule():
    bars, zipped = r'.fa-bars:before,.fa-navicon:before{content:"\f0c9"}', r'.fa-zip:before{content:"\f1c6"}'
    css = ".fa{font:x}" + bars + zipped + ".fa-spin{a:b}"
    assert sphinx_book.keep_icons(css, {"fa-navicon"}) == ".fa{font:x}" + bars + ".fa-spin{a:b}"


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        '<img alt="" src="http://cdn.example/x.png">',
        "<style>@font-face { src: url('https://cdn.example/x.woff2') }</style>",
        '<p style="background: url(//cdn.example/x.png)"></p>',
        '<script type="module">import x from "https://cdn.example/x.js"</script>',
        '<script type="application/vnd.jupyter.widget-view+json">{}</script>',
    ],
)
def test_pages_that_need_another_host_or_a_kernel_are_found(html):
    assert len(sphinx_book.page_defects(f"<html><body>{html}</body></html>")) == 1


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://arxiv.org/abs/1312.6114">paper</a>',
        '<link rel="canonical" href="https://example.org/page.html">',
        '<script src="_static/x.js"></script><img alt="" src="data:image/png;base64,AA==">',
        "<pre>&lt;script src=&quot;https://cdn.example/x.js&quot;&gt; url(https://x)</pre>",
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    ],
)
def test_pages_that_work_offline_pass(html):
    assert sphinx_book.page_defects(f"<html><body>{html}</body></html>") == []


@pytest.mark.parametrize(
    ("url", "shown"), [("https://github.com/YOUR_ACCOUNT/x", False), ("https://github.com/a/x", True)]
)
def test_buttons_to_a_placeholder_address_are_hidden(url, shown):
    options = {"repository_url": url, "launch_buttons": {"colab_url": "c"}, "use_repository_button": True}
    sphinx_book.hide_links_to_nowhere(None, SimpleNamespace(html_theme_options=options))
    assert (bool(options["launch_buttons"]), options["use_repository_button"]) == (shown, shown)

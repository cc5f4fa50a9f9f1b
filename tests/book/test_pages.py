"""Every built page in a real browser: served and opened as a file, wide and narrow, without a network."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
PAGES = [TOC["root"]] + [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
WIDTHS = {"wide": 1280, "narrow": 390}
PAGE_BYTES = 2_500_000
LAYOUT_SHIFT = 0.05

pytestmark = pytest.mark.browser

WATCH_LAYOUT = """
window.layoutShift = 0;
window.shifted = [];
new PerformanceObserver(list => {
  for (const shift of list.getEntries().filter(shift => !shift.hadRecentInput)) {
    window.layoutShift += shift.value;
    window.shifted.push(...shift.sources.map(({node}) => node?.outerHTML?.slice(0, 80) ?? node?.data));
  }
}).observe({type: "layout-shift", buffered: true});
"""
SETTLE = """async () => {
  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
}"""
INSPECT = """() => {
  const all = selector => [...document.querySelectorAll(selector)];
  return {
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    rawFormulas: all(".math").filter(math => !math.querySelector("mjx-container")).length,
    formulaErrors: all("mjx-merror").map(error => error.textContent),
    deadWidgets: all(".gm-widget:not([data-ready])").length,
    missingAlt: all("img").filter(({alt}) => !alt || alt.includes("_images/")).map(image => image.src),
    layoutShift: window.layoutShift,
    shifted: window.shifted,
  };
}"""


class Visit:
    """A window of one width; it remembers what its page requested and complained about."""

    def __init__(self, browser, width: int):
        self.context = browser.new_context(viewport={"width": width, "height": 844})
        self.context.add_init_script(WATCH_LAYOUT)
        self.page = None

    def open(self, address: str):
        if self.page:
            self.page.close()
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.hear)
        self.page.goto(address, wait_until="load")
        self.page.evaluate(SETTLE)

    def look(self, address: str) -> dict:
        """Open a page, wait for its widgets, and return what is wrong with it."""
        self.open(address)
        if self.page.locator(".gm-widget").count():
            self.page.wait_for_function(
                "() => !document.querySelector('.gm-widget:not([data-ready])')", timeout=5000
            )
        return self.page.evaluate(INSPECT)

    def hear(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture(scope="module", params=WIDTHS)
def visit(request, browser):
    visit = Visit(browser, WIDTHS[request.param])
    yield visit
    visit.context.close()


@pytest.fixture(scope="module", params=["http", "file"])
def home(request, book) -> str:
    return request.getfixturevalue("served_book") if request.param == "http" else book.as_uri()


def files_of(requests: list[str], home: str, book: Path) -> set[Path]:
    """Return the files of the book that were requested."""
    paths = {unquote(urlsplit(url.removeprefix(home)).path) for url in requests if url.startswith(home)}
    return {book / path.lstrip("/") for path in paths}


@pytest.mark.parametrize("name", PAGES)
def test_page_works_without_a_network(visit, home, book, name):
    seen = visit.look(f"{home}/{name}.html")
    foreign = [url for url in visit.requests if not url.startswith((home, "data:", "blob:"))]
    weight = sum(path.stat().st_size for path in files_of(visit.requests, home, book))

    assert foreign == []
    assert visit.complaints == []
    assert seen["overflow"] <= 0, "the page is wider than the window"
    assert seen["rawFormulas"] == 0
    assert seen["formulaErrors"] == []
    assert seen["deadWidgets"] == 0
    assert seen["missingAlt"] == []
    if seen["layoutShift"] > LAYOUT_SHIFT:  # a busy machine may paint half a page, but not twice
        seen = visit.look(f"{home}/{name}.html")
    assert seen["layoutShift"] <= LAYOUT_SHIFT, seen["shifted"]
    assert weight <= PAGE_BYTES


def test_search_finds_a_chapter(visit, home):
    visit.open(f"{home}/search.html?q=divergence")
    visit.page.locator("#search-results li a").first.wait_for()
    assert visit.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_links_inside_the_book_lead_somewhere(book, name):
    page = book / f"{name}.html"
    broken = []
    for link in set(re.findall(r'<a\b[^>]*? href="([^"]+)"', page.read_text("utf-8"))):
        address = urlsplit(link)
        if address.scheme or address.netloc:
            continue
        target = (page.parent / unquote(address.path)).resolve() if address.path else page
        anchor = f'id="{unquote(address.fragment)}"'
        if not target.is_file() or (address.fragment and anchor not in target.read_text("utf-8")):
            broken.append(link)
    assert broken == []

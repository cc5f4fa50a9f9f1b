"""Posters: a picture of every widget, for where no HTML is shown (GitHub, PDF, an untrusted Lab page)."""

import base64
import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from tools.chromium import FLAGS, find_chromium
from tools.normalize import is_widget

WIDTH = 720  # CSS pixels, drawn at twice that resolution
READY = """() => {
  const widgets = [...document.querySelectorAll(".gm-widget")];
  return widgets.length > 0 && widgets.every((widget) => widget.hasAttribute("data-ready"));
}"""


async def add_posters(notebook, previous=None):
    """Add an `image/png` to every widget output that has none, in place; returns how many still lack one.

    A widget whose HTML stands unchanged in the notebook `previous` keeps the picture it has there.
    """
    known = {output.data["text/html"]: output.data.get("image/png") for output in widget_outputs(previous)}
    for output in widget_outputs(notebook):
        if picture := output.data.get("image/png") or known.get(output.data["text/html"]):
            output.data["image/png"] = picture
    missing = [output for output in widget_outputs(notebook) if "image/png" not in output.data]
    chromium = find_chromium()
    if not missing or chromium is None:
        return len(missing)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for output in missing:
            try:
                picture = await photograph(browser, output.data["text/html"])
            except RuntimeError as error:
                raise RuntimeError(f"the widget {output.data.get('text/plain')} {error}") from error
            output.data["image/png"] = base64.b64encode(picture).decode()
        await browser.close()
    return 0


def widget_outputs(notebook):
    """All outputs of a notebook (or of None) that show a widget."""
    cells = notebook.cells if notebook else []
    return [output for cell in cells for output in cell.get("outputs", []) if is_widget(output)]


async def photograph(browser, html):
    """A PNG of a widget's HTML as it looks once it runs, in the light theme, with a palette to be small."""
    page = await browser.new_page(
        device_scale_factor=2,
        color_scheme="light",
        reduced_motion="reduce",
        viewport={"width": WIDTH + 40, "height": 900},
    )
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # A file, like a page of the built book, so that the module script runs under the same rules.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "widget.html")
        file.write_text(
            '<!DOCTYPE html><html data-theme="light"><meta charset="utf-8"><body style="margin: 0">'
            f'<main style="display: flow-root; width: {WIDTH}px; font-family: sans-serif">{html}</main>'
            "</body></html>"
        )
        await page.goto(file.as_uri())
        try:
            await page.wait_for_function(READY, timeout=20_000)
        except Exception as error:
            raise RuntimeError(f"did not start in Chromium: {errors or error}") from error
        screenshot = await page.locator("main").screenshot()
    await page.close()
    palette = io.BytesIO()
    Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(256).save(palette, "PNG", optimize=True)
    return min(screenshot, palette.getvalue(), key=len)

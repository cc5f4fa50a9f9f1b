"""A real browser without a network, for the widgets and for the built pages."""

import os

import pytest

from tools.chromium import FLAGS, NAMES, find_chromium


# For a module and not for the session: while it lives, Playwright's event loop keeps others from running.
@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium. Where there is none the test is skipped, except under CI, where it fails."""
    path = find_chromium()
    if path is None:
        message = f"no browser found: install one of {', '.join(NAMES)} to run this test"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()

"""The built book, as files and on a local server."""

import functools
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def book(testrun_uid) -> Path:
    """The folder of the built HTML book, brought up to date once in a test run, also by parallel workers."""
    build = ROOT / "_build"
    build.mkdir(exist_ok=True)
    up_to_date = build / ".up-to-date"
    with FileLock(build / ".lock"):
        if not up_to_date.exists() or up_to_date.read_text() != testrun_uid:
            build_book()
            up_to_date.write_text(testrun_uid)
    return build / "html"


def build_book():
    command = [Path(sys.executable).with_name("jupyter-book"), "build", str(ROOT), "-W", "--keep-going"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        pytest.fail(
            f"the book does not build:\n{built.stdout[-3000:]}\n{built.stderr[-3000:]}", pytrace=False
        )


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def served_book(book) -> str:
    """The address of the built book on a local server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=book))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()

"""The toy assignment, run and released, and what attacks on the grader aim at."""

import asyncio
import copy
import os
import shutil
import socket

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_notebook

from gm_lab.grading.assignment import release
from gm_lab.grading.verdict import Assignment
from tests.grading.toy import toy_cells
from tools.normalize import normalize


@pytest.fixture(scope="session")
def source():
    """The source of the toy assignment, executed."""
    notebook = normalize(new_notebook(cells=toy_cells()))
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", extra_arguments=["--log-level=ERROR"]
    )
    asyncio.run(client.async_execute())
    return normalize(notebook)


@pytest.fixture(scope="session")
def assignment(source):
    return Assignment(source)


@pytest.fixture
def blank(source):
    """A copy of the release, as a student gets it, to fill in."""
    return copy.deepcopy(release(source))


@pytest.fixture(scope="session")
def world(tmp_path_factory, source):
    """What attacks aim at: the instructor's folder, a folder that all may write to, a server on this
    machine."""
    instructor = tmp_path_factory.mktemp("instructor")
    nbformat.write(source, instructor / "source.ipynb")
    outside = tmp_path_factory.mktemp("outside")
    for folder in (instructor, outside):
        folder.chmod(0o777)
    with socket.create_server(("0.0.0.0", 0)) as server:
        host = socket.gethostbyname(socket.gethostname())
        yield {"instructor": instructor, "outside": outside, "host": host, "port": server.getsockname()[1]}
        server.settimeout(0)
        with pytest.raises(BlockingIOError):  # nobody has connected
            server.accept()


@pytest.fixture(scope="session")
def mode():
    """The sandbox. Where there is no bubblewrap the test is skipped, except under CI, where it fails."""
    if shutil.which("bwrap"):
        return "bubblewrap"
    if os.environ.get("CI"):
        pytest.fail("no bubblewrap found")
    pytest.skip("no bubblewrap on this machine: install it to run this test")

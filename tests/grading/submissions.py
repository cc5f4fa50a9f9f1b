"""The verdict table: what students hand in, by mistake or with intent, and what each question must be worth.

A submission is a function from the blank release (a notebook) to the bytes of a file. Attacks on the machine are written so
that the answer is right only if the attack has failed.
"""

import copy
import json

import nbformat
from nbformat.v4 import new_code_cell

from tests.grading.toy import ANSWERS, WRONG_KL, cell_of, dump, fill

RIGHT, ONLY_FIRST_WRONG, NOTHING = (4, 3, 3), (0, 3, 3), (0, 0, 0)
RIGHT_KL = ANSWERS["q1"]


def answer(source):
    """Hand in right answers, but for this one to question 1."""
    return lambda blank, world: dump(fill(blank, q1=source))


def around(code, body="pass"):
    """Code that runs in the cell, then a right definition whose function runs `body` first."""
    inner = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{code}\ndef gaussian_kl(mean, log_var):\n{inner}\n    return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1)"


def attack(code):
    """An attack that sets `success` to a number; what it reaches makes the answer wrong. `{world}` are its targets."""

    def build(blank, world):
        tried = code.format(**world)
        return dump(fill(blank, q1=f"success = 0\n{tried}\n{RIGHT_KL} + success"))

    return build


def change(edit, **sources):
    """Answer, by default all right, then edit the notebook in place."""

    def build(blank, world):
        notebook = fill(blank, **sources)
        edit(notebook)
        return dump(notebook)

    return build


def raw(edit, **sources):
    """Answer all right, then edit the bytes of the file."""
    return lambda blank, world: edit(dump(fill(blank, **sources)))


# Edits of a notebook


def forge(notebook):
    """Make a check cell look as if it had passed, without being run."""
    cell = cell_of(notebook, "q1-check")
    cell.source = "pass"
    cell.outputs, cell.execution_count = [], None
    cell.metadata.nbgrader.points = 1000


def flip_flags(notebook):
    for grade_id in ("q1-check", "q2-check"):
        cell_of(notebook, grade_id).metadata.nbgrader.update(solution=True, grade=False, locked=False)
    cell_of(notebook, "q1").metadata.nbgrader.update(solution=False, grade=True, points=1000)


def remove(*grade_ids):
    def edit(notebook):
        gone = [cell_of(notebook, grade_id) for grade_id in grade_ids]
        notebook.cells = [cell for cell in notebook.cells if cell not in gone]

    return edit


def duplicate(notebook):
    """A first, wrong attempt stands before the right one, with the same grade_id and the same id."""
    first = copy.deepcopy(cell_of(notebook, "q1"))
    first.source = WRONG_KL
    notebook.cells.insert(notebook.cells.index(cell_of(notebook, "q1")), first)


def split(notebook):
    """The answer in two cells, as Jupyter splits one: both keep the metadata."""
    whole = cell_of(notebook, "q1")
    second = copy.deepcopy(whole)
    whole.source = "half = 0.5"
    second.source = RIGHT_KL.replace("0.5", "half")
    notebook.cells.insert(notebook.cells.index(whole) + 1, second)


def lose_metadata(notebook):
    notebook.metadata = {}
    for cell in notebook.cells:
        cell.metadata = {}


def lose_everything_but_sources(notebook):
    lose_metadata(notebook)
    for cell in notebook.cells:
        del cell["id"]


def to_markdown(notebook):
    cell = cell_of(notebook, "q1")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def add_helpers(notebook):
    notebook.cells.insert(2, new_code_cell("import os\nos._exit(1)"))
    notebook.cells.append(new_code_cell("check = record = None"))


def depend_on_helper(notebook):
    notebook.cells.insert(2, new_code_cell("half = 0.5"))
    cell_of(notebook, "q1").source = RIGHT_KL.replace("0.5", "half")


def tag_for_nbval(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["nbval-skip", "raises-exception", "nbval-ignore-output"]


def old_format(data):
    notebook = nbformat.convert(nbformat.reads(data.decode(), as_version=4), 3)
    return json.dumps(notebook).encode()


def future_format(data):
    return json.dumps({**json.loads(data), "nbformat": 5, "nbformat_minor": 0}).encode()


def half_done(blank, world):
    blank_sample = cell_of(blank, "q2").source
    return dump(fill(blank, q2=blank_sample, q3="def weights(log_weights):\n    return log_weights.exp()"))


TRANSFORMER = """
def forge(lines):
    text = "".join(lines)
    if "check(" in text or "record(" in text:
        shown = "from IPython.display import display\\n"
        for label in ("KL(N(1, 4), N(0, 1))", "KL of two rows"):
            shown += f"display({{'text/plain': 'right: {label}'}}, metadata={{'gm_lab': 'check'}}, raw=True)\\n"
        return [shown]
    return lines
get_ipython().input_transformers_cleanup.append(forge)
"""
EQUAL_TO_ALL = """
class Yes(float):
    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = None
    shape = (3,)
    def __iter__(self):
        return iter([self, self])
    def __getitem__(self, index):
        return self
    def tolist(self):
        return self
    def __format__(self, how):
        return "1.30685"
def gaussian_kl(mean, log_var):
    return Yes()"""
LEAK = """
import gc, sys, threading, time
def found():
    texts = [repr(o)[:3000] for o in gc.get_objects() if "sesame" in repr(type(o).__name__) or isinstance(o, dict) and any("sesame" in str(k) for k in list(o)[:200])]
    frame = sys._getframe()
    while frame:
        texts.append(str(frame.f_locals)[:5000])
        frame = frame.f_back
    return " ".join(text for text in texts if "sesame" in text) or "nothing"
def late():
    while True:
        time.sleep(0.01)
        try:
            text = found()
        except Exception:
            continue
        if text != "nothing":
            print(text, flush=True)
            print(text, file=sys.stderr, flush=True)
threading.Thread(target=late, daemon=True).start()
def gaussian_kl(mean, log_var):
    raise ValueError(found())"""
STRANGE = """
import json
kernel = get_ipython().kernel
session, parent = kernel.session, kernel.get_parent()["header"]
for content in ([1], "text", None, 7, {"data": 3, "metadata": {"gm_lab": "check"}}, {"execution_state": []}):
    for kind in ("display_data", "error", "status", 3):
        parts = [json.dumps(part, default=str).encode() for part in (session.msg("x")["header"] | {"msg_type": kind}, parent, {}, content)]
        kernel.iopub_socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
"""
SEARCH = """
import os
for top in ("{instructor}", "{outside}", "/work", "/home", "/root", "/opt", "/srv", "/mnt", "/var", "/run"):
    for folder, _, names in os.walk(top):
        if "site-packages" in folder or "/lib/python" in folder:
            continue
        for name in names:
            if name.endswith((".ipynb", ".json")) and os.path.getsize(os.path.join(folder, name)) < 1e6:
                success += "sesame_" + "mean" in open(os.path.join(folder, name), errors="replace").read()
for number in os.listdir("/proc"):
    try:
        success += b"instructor" in open(f"/proc/{{number}}/environ", "rb").read() + open(f"/proc/{{number}}/cmdline", "rb").read()
    except OSError:
        pass
"""
WRITE = """
import os, gm_lab, torch
for folder in ("{instructor}", "{outside}", "/", "/usr", "/etc", "/dev", "/root", "/var/tmp", os.path.dirname(gm_lab.__file__), os.path.dirname(torch.__file__)):
    try:
        open(os.path.join(folder, "was-here"), "w").close()
        success += 1
    except OSError:
        pass
"""

# name: (submission, points of questions 1 to 3)
TABLE = {
    # what honest students hand in
    "right": (change(lambda notebook: None), RIGHT),
    "blank": (lambda blank, world: dump(blank), NOTHING),
    "half": (half_done, (4, 0, 0)),
    "hard-coded visible values": (
        answer("def gaussian_kl(m, v):\n    return torch.tensor([1.5, 1.5]) if len(m) == 2 else torch.tensor(1.3068528)"),
        ONLY_FIRST_WRONG,
    ),
    "float64": (answer(RIGHT_KL.replace("(mean**2", "(mean.double()**2")), RIGHT),
    "relative noise of 1e-6": (answer(RIGHT_KL + " * (1 + 1e-6)"), RIGHT),
    "prints and warnings": (
        answer(around("print('cell')", "import warnings, sys\nprint('here')\nwarnings.warn('here')\nprint(1, file=sys.stderr)")),
        RIGHT,
    ),
    "drawings": (answer(around("import matplotlib.pyplot as plt", "plt.plot([1, 2])\nplt.show()\nplt.figure()")), RIGHT),
    "syntax error": (answer("def gaussian_kl(mean log_var): return 0"), ONLY_FIRST_WRONG),
    "not a number": (answer(RIGHT_KL + " * float('nan')"), ONLY_FIRST_WRONG),
    "wrong shape": (answer(RIGHT_KL.replace("sum(-1)", "sum(-1, keepdim=True)")), ONLY_FIRST_WRONG),
    "None": (answer("def gaussian_kl(mean, log_var):\n    pass"), ONLY_FIRST_WRONG),
    "question 1 deletes what question 2 needs": (answer(RIGHT_KL + "\ndel torch"), ONLY_FIRST_WRONG),
    "question 1 breaks what question 2 needs": (answer("torch.Tensor.exp = torch.softmax = None"), ONLY_FIRST_WRONG),
    # what ends a kernel, or does not end
    "sys.exit": (answer("import sys\nsys.exit()"), ONLY_FIRST_WRONG),
    "os._exit": (answer("import os\nos._exit(0)"), ONLY_FIRST_WRONG),
    "segmentation fault": (answer("import ctypes\nctypes.string_at(0)"), ONLY_FIRST_WRONG),
    "endless loop in a cell": (answer("while True:\n    pass"), ONLY_FIRST_WRONG),
    "endless loop in a function": (answer(around("", "while True:\n    pass")), ONLY_FIRST_WRONG),
    "endless loop that ignores interrupts": (
        answer(
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
        ),
        ONLY_FIRST_WRONG,
    ),
    "input": (answer("name = input()"), ONLY_FIRST_WRONG),
    "endless sleep": (answer("import time\ntime.sleep(1e6)"), ONLY_FIRST_WRONG),
    "an exit from a thread": (
        answer(around("import os, threading, time\nthreading.Timer(0.3, os._exit, [1]).start()", "time.sleep(1)")),
        ONLY_FIRST_WRONG,
    ),
    "an exit in the middle of the hidden checks": (
        answer(around("import os\ncalls = []", "calls.append(1)\nif len(calls) == 3:\n    os._exit(1)")), (0, 3, 3)
    ),
    "closed sockets": (answer("import os\nos.closerange(3, 1000)"), ONLY_FIRST_WRONG),
    # what takes too much
    "memory bomb of lists": (answer("kept = []\nwhile True:\n    kept.append(bytearray(10**7))"), ONLY_FIRST_WRONG),
    "memory bomb of tensors": (answer("kept = []\nwhile True:\n    kept.append(torch.ones(10**7))"), ONLY_FIRST_WRONG),
    "memory bomb of processes": (
        answer("import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        kept = b'x' * 10**9\n        time.sleep(60)\ntime.sleep(60)"),
        ONLY_FIRST_WRONG,
    ),
    "fork bomb": (answer("import os\nwhile True:\n    os.fork()"), ONLY_FIRST_WRONG),
    "thread bomb": (
        answer("import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(1e6,)).start()"),
        ONLY_FIRST_WRONG,
    ),
    "orphan processes": (
        answer(around("import subprocess", "subprocess.Popen(['sleep', '86397'], start_new_session=True)")), RIGHT
    ),
    "one huge file": (answer("with open('/tmp/huge', 'wb') as file:\n    while True:\n        file.write(bytes(10**6))"), ONLY_FIRST_WRONG),
    "many files": (answer("for i in range(10**6):\n    open(f'/tmp/{i}', 'wb').write(bytes(10**5))"), ONLY_FIRST_WRONG),
    "print bomb": (answer("while True:\n    print('x' * 1000)"), ONLY_FIRST_WRONG),
    "100 MB of output": (answer("print('x' * 10**8)"), ONLY_FIRST_WRONG),
    # attacks on the machine
    "network connection": (
        attack(
            "import socket\nfor host in ('127.0.0.1', 'localhost', '{host}'):\n    try:\n"
            "        socket.create_connection((host, {port}), 1)\n        success += 1\n    except OSError:\n        pass"
        ),
        RIGHT,
    ),
    "search for the answer key": (attack(SEARCH), RIGHT),
    "writes outside": (attack(WRITE), RIGHT),
    "killing the parent": (answer("import os\nos.kill(os.getppid(), 9)"), ONLY_FIRST_WRONG),
    "killing everything": (
        answer("import os\nfor number in [1, *range(2, 2000)]:\n    try:\n        os.kill(number, 9)\n    except OSError:\n        pass"),
        ONLY_FIRST_WRONG,
    ),
    # attacks on the checks
    "patched print": (answer("import builtins\nbuiltins.print = lambda *things: None\n" + WRONG_KL), ONLY_FIRST_WRONG),
    "input transformers": (answer(TRANSFORMER + WRONG_KL), ONLY_FIRST_WRONG),
    "muted tracebacks": (
        answer("get_ipython().showtraceback = get_ipython()._showtraceback = lambda *a, **k: None\n" + WRONG_KL),
        ONLY_FIRST_WRONG,
    ),
    "objects that equal everything": (answer(EQUAL_TO_ALL), ONLY_FIRST_WRONG),
    "patched allclose": (
        answer("import math\ntorch.allclose = math.isclose = lambda *a, **k: True\n" + WRONG_KL), ONLY_FIRST_WRONG
    ),
    "patched checks": (
        answer("import gm_lab.grading.checks as checks\nchecks.same = lambda *a: True\n" + WRONG_KL), ONLY_FIRST_WRONG
    ),
    "comments to nbval": (
        answer("# NBVAL_SKIP\n" + WRONG_KL + "\n'''\n# NBVAL_IGNORE_OUTPUT\n# NBVAL_RAISES_EXCEPTION\n'''"), ONLY_FIRST_WRONG
    ),
    "tags for nbval": (change(tag_for_nbval, q1=WRONG_KL), ONLY_FIRST_WRONG),
    "forged messages": (
        answer("get_ipython().kernel.iopub_socket.send = lambda *a, **k: None\n" + WRONG_KL), ONLY_FIRST_WRONG
    ),
    "a kernel that sends garbage": (
        answer("kernel = get_ipython().kernel\nkernel.session.pack = lambda thing: b'[' * 200_000\nprint(1)"), ONLY_FIRST_WRONG
    ),
    "messages of a strange form": (answer(STRANGE + WRONG_KL), ONLY_FIRST_WRONG),
    "a leak through feedback": (answer(LEAK), ONLY_FIRST_WRONG),
    # changes of the notebook
    "edited checks, forged outputs, nulled counts, inflated points": (change(forge, q1=WRONG_KL), ONLY_FIRST_WRONG),
    "edited checks, right answers": (change(forge), RIGHT),
    "flipped flags": (change(flip_flags, q1=WRONG_KL), ONLY_FIRST_WRONG),
    "check deleted": (change(remove("q1-check"), q1=WRONG_KL), ONLY_FIRST_WRONG),
    "check deleted, right answers": (change(remove("q1-check", "q2-check")), RIGHT),
    "answer deleted": (change(remove("q1")), ONLY_FIRST_WRONG),
    "everything deleted": (change(lambda notebook: notebook.cells.clear()), NOTHING),
    "duplicate answers": (change(duplicate), RIGHT),
    "split answer": (change(split), RIGHT),
    "duplicate ids": (change(lambda notebook: [cell.update(id="same") for cell in notebook.cells]), RIGHT),
    "reversed cells": (change(lambda notebook: notebook.cells.reverse()), RIGHT),
    "answer turned into Markdown": (change(to_markdown), ONLY_FIRST_WRONG),
    "metadata lost": (change(lose_metadata), RIGHT),
    "metadata and ids lost": (change(lose_everything_but_sources), NOTHING),
    "helper cells added": (change(add_helpers), RIGHT),
    "an answer that needs a helper cell": (change(depend_on_helper), ONLY_FIRST_WRONG),
    "wrong kernel name": (
        change(lambda notebook: notebook.metadata.update(kernelspec={"name": "julia-1.11", "display_name": "Julia"})), RIGHT
    ),
    "no metadata": (change(lambda notebook: notebook.pop("metadata")), RIGHT),
    "cells of strange types": (change(lambda notebook: notebook.cells.extend([None, 1, {}, {"source": 3, "metadata": 4}])), RIGHT),
    # damaged files
    "byte-order mark": (raw(lambda data: b"\xef\xbb\xbf" + data), RIGHT),
    "empty": (raw(lambda data: b""), NOTHING),
    "not JSON": (raw(lambda data: b"my homework"), NOTHING),
    "truncated": (raw(lambda data: data[: len(data) // 2]), NOTHING),
    "latin-1": (raw(lambda data: json.dumps(json.loads(data) | {"author": "Zoë"}, ensure_ascii=False).encode("latin-1")), NOTHING),
    "UTF-16": (raw(lambda data: data.decode().encode("utf-16")), NOTHING),
    "merge markers": (
        raw(lambda data: b"<<<<<<< HEAD\n" + data + b"\n=======\n" + data + b"\n>>>>>>> theirs\n"), NOTHING
    ),
    "200,000-deep JSON": (raw(lambda data: b'{"nbformat": 4, "cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"), NOTHING),
    "30 MB file": (raw(lambda data: data[:-1] + b', "filler": "' + b"x" * 30_000_000 + b'"}'), NOTHING),
    "old nbformat": (raw(old_format), RIGHT),
    "future nbformat": (raw(future_format), RIGHT),
}  # fmt: skip
UNREADABLE = {
    "empty", "not JSON", "truncated", "latin-1", "UTF-16", "merge markers", "200,000-deep JSON", "30 MB file"
}  # fmt: skip

"""Run cells in a kernel that may be hostile: it is started in a sandbox, watched, and believed in nothing.

What nbval and nbclient do for friendly notebooks, with what they leave out: a limit on everything that comes
back, on the memory of all processes together, and a verdict instead of an exception when the kernel dies.
"""

import atexit
import contextlib
import json
import mmap
import secrets
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty

import zmq
from jupyter_client import BlockingKernelClient

from gm_lab.grading.checks import MARK
from gm_lab.grading.sandbox import MODES, PORTS, READY_SECONDS, GraderError, Limits

WATCH_SECONDS = 0.1  # how often the processes of a sandbox are looked at
LONGEST_MESSAGE = 256 << 20  # bytes; the connection to a kernel that sends more is cut
SEND_MILLISECONDS = 2_000
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "USER": "student",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}


@dataclass
class Output:
    """What came of one cell."""

    checks: list[str] = field(default_factory=list)  # what `check` and `record` displayed
    error: str = ""  # name and message of the exception that ended the cell


class Stopped(Exception):
    """The kernel had to be ended, or ended by itself; the message says why, in words for the student."""


class Warm:
    """The warm process of this process, started when it is first needed."""

    def __init__(self):
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "gm_lab.grading.warm", str(theirs.fileno())]
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        self.channel, self.replies, self.lock = ours, ours.makefile(), threading.Lock()
        state = self.receive()
        if state["threads"] != 1:
            raise GraderError(
                f"the warm process has {state['threads']} threads; only one with a single thread can fork"
            )

    def receive(self) -> dict:
        """Return the next message of the warm process."""
        line = self.replies.readline()
        if not line:
            raise GraderError("the warm process has ended")
        return json.loads(line)

    def fork(self, request: dict) -> int:
        """Return the process id of a new kernel."""
        with self.lock:
            self.channel.settimeout(READY_SECONDS)
            try:
                self.channel.sendall(json.dumps(request).encode() + b"\n")
                reply = self.receive()
            except OSError as error:
                self.process.kill()  # or its late answer would be taken for that to the next request
                raise GraderError(f"the warm process does not answer: {error}") from error
        if "error" in reply:
            raise GraderError(f"no kernel could be started: {reply['error']}")
        return reply["kernel"]

    def close(self) -> None:
        """End the warm process and, with it, every kernel."""
        self.process.kill()
        self.process.wait()
        self.replies.close()
        self.channel.close()


_warm: Warm | None = None
_warm_lock = threading.Lock()


def warm() -> Warm:
    """Return the warm process, a new one if it has ended."""
    global _warm
    with _warm_lock:
        if _warm is None or _warm.process.poll() is not None:
            _warm = Warm()
            atexit.register(_warm.close)
        return _warm


class Kernel:
    """A kernel in a sandbox, ready to run cells. Use it in a `with` statement: nothing survives its end.

    Args:
        mode: "bubblewrap" or "limits", see `sandbox`.
        limits: what it may use.

    Raises:
        GraderError: it does not start.
    """

    def __init__(self, mode: str, limits: Limits):
        self.limits = limits
        self.printed = 0
        self.watched = 0.0
        self.sandbox = MODES[mode](limits)
        self.client = None
        try:
            self.connect()
        except BaseException:
            self.close()
            raise
        self.deadline = time.monotonic() + limits.total_seconds

    def connect(self):
        """Fork the kernel, wait until it listens, and make sure that its messages arrive."""
        connection = {"transport": "ipc", "key": secrets.token_hex(16), "signature_scheme": "hmac-sha256"}
        connection |= {port: number for number, port in enumerate(PORTS, start=1)}
        home = self.sandbox.home
        self.process_id = self.sandbox.kernel = warm().fork(
            {
                "holder": self.sandbox.holder,
                "home": home,
                "limits": self.limits.of_a_process(),
                "connection": {**connection, "ip": f"{home}/kernel"},
            }
        )
        outside = self.sandbox.outside_home / "kernel"
        give_up = time.monotonic() + READY_SECONDS
        while not all(Path(f"{outside}-{number}").exists() for number in range(1, len(PORTS) + 1)):
            if time.monotonic() > give_up or not self.is_alive():
                failed = Path(f"{outside}-failed")
                why = failed.read_text() if failed.exists() else "it says nothing"
                raise GraderError(f"the kernel does not start: {why}")
            time.sleep(0.005)
        context = zmq.Context()
        context.setsockopt(zmq.LINGER, 0)
        context.setsockopt(zmq.MAXMSGSIZE, LONGEST_MESSAGE)
        # A path inside the sandbox is opened once: later the student's code could have replaced it.
        context.setsockopt(zmq.RECONNECT_IVL, -1)
        # Without this, sending to a kernel that has ended would wait for ever.
        context.setsockopt(zmq.SNDTIMEO, SEND_MILLISECONDS)
        self.context = context
        self.client = BlockingKernelClient(context=context)
        self.client.load_connection_info(
            {**connection, "key": connection["key"].encode(), "ip": str(outside)}
        )
        self.client.start_channels(stdin=False, hb=False)
        while time.monotonic() < give_up:
            try:
                self.wait_for_idle(self.client.kernel_info(), Output(), time.monotonic() + 1)
                return
            except Stopped as stop:
                if not self.is_alive():
                    raise GraderError(f"the kernel does not start: {stop}") from stop
        raise GraderError("the kernel does not answer")

    def run(self, source: str) -> Output:
        """Run a cell and return what came of it.

        Raises Stopped if the kernel ended, or had to be ended; there is no use in running another cell then.
        """
        output, now = Output(), time.monotonic()
        try:
            message = self.client.execute(source, store_history=False, allow_stdin=False, stop_on_error=False)
        except zmq.Again:
            raise Stopped("it ended the kernel, or what connects it") from None
        self.wait_for_idle(message, output, min(now + self.limits.cell_seconds, self.deadline))
        return output

    def wait_for_idle(self, message: str, output: Output, deadline: float):
        """Collect what the kernel sends about a message, until it says that it is idle again."""
        while True:
            if time.monotonic() > deadline:
                raise Stopped("it ran for too long and was stopped. Is there a loop that does not end?")
            self.watch()
            try:
                # The channel itself: the client's own method would leave an event loop behind in each thread.
                reply = self.client.iopub_channel.get_msg(timeout=WATCH_SECONDS)
                self.printed += len(str(reply["content"]))
                if reply["parent_header"].get("msg_id") == message and self.collect(reply, output):
                    return
            except Empty:
                if not self.is_alive():
                    raise Stopped(
                        "it ended the kernel: an exit, a crash, or a limit on memory or time"
                    ) from None
                continue
            except Exception:  # the student's code holds the other end, and can send anything
                raise Stopped("it sent the grader something that is no message") from None
            if self.printed > self.limits.output:
                raise Stopped(f"it printed more than {self.limits.output / (1 << 20):.0f} MB")

    def collect(self, reply: dict, output: Output) -> bool:
        """Keep what counts of one message; True if it says that the cell is done."""
        kind, content = reply["msg_type"], reply["content"]
        if kind == "display_data" and content.get("metadata") == MARK:
            output.checks.append(str(content.get("data", {}).get("text/plain")))
        elif kind == "error":
            output.error = f"{content.get('ename')}: {content.get('evalue')}"
        return kind == "status" and content.get("execution_state") == "idle"

    def watch(self):
        """End the kernel if its processes are too many, or together have taken too much memory."""
        if time.monotonic() < self.watched + WATCH_SECONDS:
            return
        self.watched = time.monotonic()
        processes = self.sandbox.processes()
        if len(processes) > self.limits.processes:
            raise Stopped(f"it started more than {self.limits.processes} processes")
        if len(processes) > 1 and memory_of(processes, self.limits.memory) > self.limits.memory:
            raise Stopped(
                f"its processes took more than {self.limits.memory / (1 << 30):.0f} GB of memory together"
            )

    def is_alive(self) -> bool:
        """Tell whether the kernel's process runs."""
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{self.process_id}/stat").read_text()
            return status.rsplit(")", 1)[1].split()[0] not in "ZX"
        return False

    def close(self):
        """End everything that runs in the sandbox, and the sandbox."""
        self.sandbox.close()
        if self.client:
            self.client.stop_channels()
            self.context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def memory_of(processes: list[int], enough: int) -> int:
    """Return the memory of processes in bytes; what they share counts once where that matters."""
    resident = proportional = 0
    for process in processes:
        with contextlib.suppress(OSError):
            resident += mmap.PAGESIZE * int(Path(f"/proc/{process}/statm").read_text().split()[1])
    if resident <= enough:
        return resident
    for process in processes:
        with contextlib.suppress(OSError, IndexError):  # it may end while its file is read
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            proportional += 1024 * int(rollup.split("\nPss:")[1].split()[0])
    return proportional

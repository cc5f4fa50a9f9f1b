"""Where a student's code runs: in bubblewrap, or under resource limits alone, for students one trusts.

`bubblewrap`: a read-only system of which only Python and this package's libraries are visible, no network,
own process ids, a private home in memory, an unprivileged user. It protects the machine, the instructor's
files and the other students from a student's code, as far as the Linux kernel itself has no hole.
`limits`: a time, memory and file-size limit for each process. It stops accidents, not intent: the code can
read and write what the grader's user can, and reach the network.
"""

import contextlib
import json
import os
import shutil
import signal
import site
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

HOME = "/tmp"  # inside of bubblewrap; the only place that can be written to
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
READY_SECONDS = 30
# Bubblewrap's own --die-with-parent has gaps while a sandbox is being built. So a shell outside of it waits
# until the grader closes a pipe, or dies, and then kills its process group: itself and all of bubblewrap.
UNTIL_CLOSED = '"$@" 3>&1 & exec >/dev/null 2>&1; read nothing; kill -KILL 0'
# What the dynamic linker, Python and PyTorch read below /etc; nothing else of it is visible.
ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "localtime",
    "fonts",
    "mime.types",
    "ssl/openssl.cnf",
)


class GraderError(RuntimeError):
    """Something failed that is not the student's doing; no points may be lost over it."""


@dataclass(frozen=True)
class Limits:
    """What one kernel may use."""

    cell_seconds: float = 60  # real time of a cell
    total_seconds: float = 300  # real time of all cells
    cpu_seconds: int = 300  # of each process
    memory: int = 4 << 30  # bytes, of each process and of all together
    file_size: int = 64 << 20  # bytes, of one file
    disk: int = 256 << 20  # bytes, of all files: they lie in memory
    processes: int = 32
    threads: int = 256  # of all processes
    open_files: int = 512
    output: int = 2 << 20  # bytes that a kernel may print

    def __post_init__(self):
        for name, value in asdict(self).items():
            if value <= 0:
                raise ValueError(f"{name} must be positive, got {value}")

    def of_a_process(self) -> dict:
        """Return the limits that the system enforces, by their names in the `resource` module."""
        return {
            "RLIMIT_AS": self.memory,
            "RLIMIT_CPU": self.cpu_seconds,
            "RLIMIT_FSIZE": self.file_size,
            "RLIMIT_NPROC": self.threads,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
        }


def visible_paths() -> list[str]:
    """Return what a kernel must read: the system's libraries, this Python, its packages and gm_lab itself."""
    paths = {"/usr", sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), *site.getsitepackages()}
    paths |= {str(Path(__file__).parents[1]), str(Path(sys.executable).resolve().parent.parent)}
    paths |= {path for path in sys.path if "site-packages" in path}
    existing = sorted(path for path in paths if Path(path).is_dir() and path != "/")
    return [path for path in existing if not any(path.startswith(f"{other}/") for other in existing)]


def bubblewrap_command(limits: Limits) -> list[str]:
    """Return the command that builds a sandbox, prints a line when it stands, and then waits."""
    command = ["bwrap", "--info-fd", "3", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--hostname", "sandbox"]
    if os.geteuid() != 0:
        command += ["--unshare-user", "--uid", "1000", "--gid", "1000"]
    size = str(limits.disk)
    command += ["--perms", "1777", "--size", size, "--tmpfs", HOME]  # first: Python may lie below it
    for path in visible_paths():
        for parent in reversed(Path(path).parents[:-1]):
            command += ["--perms", "0755", "--dir", str(parent)]  # or only root could pass through it
        command += ["--ro-bind", path, path]
    for path in ("/bin", "/sbin", "/lib", "/lib64", "/lib32"):
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            command += ["--ro-bind", path, path]
    for name in ETC:
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    command += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return [*command, "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir", HOME,
            "/bin/sh", "-c", "echo ready; exec sleep infinity"]  # fmt: skip


class Bubblewrap:
    """A sandbox without anything in it. Its files lie in memory; closing it ends every process inside."""

    home = HOME

    def __init__(self, limits: Limits):
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", UNTIL_CLOSED, "sh", *bubblewrap_command(limits)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
        printed = ""
        while not printed.endswith("ready\n"):
            line = self.process.stdout.readline()
            if not line:
                complaint = self.process.stderr.read().strip()
                self.close()
                raise GraderError(f"bubblewrap does not start: {complaint}")
            printed += line
        self.holder = json.loads(printed.removesuffix("ready\n"))["child-pid"]
        self.namespace = os.readlink(f"/proc/{self.holder}/ns/pid")

    @property
    def outside_home(self) -> Path:
        """The home of the sandbox, seen from here."""
        return Path(f"/proc/{self.holder}/root{HOME}")

    def processes(self) -> list[int]:
        """Return the ids of the processes inside, as they are called out here."""
        inside = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{name}/ns/pid") == self.namespace:
                    inside.append(int(name))
        return inside

    def close(self) -> None:
        """Kill all of bubblewrap; when the first process of the sandbox ends, the system kills the others."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


class LimitsOnly:
    """No sandbox: a temporary folder. Closing it ends the kernel and what still descends from it."""

    holder = None

    def __init__(self, limits: Limits):
        self.home = tempfile.mkdtemp(prefix="gm-lab-")
        self.outside_home = Path(self.home)
        self.kernel = None

    def processes(self) -> list[int]:
        """Return the ids of the kernel and of what descends from it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            descendants = psutil.Process(self.kernel).children(recursive=True)
            return [self.kernel, *(process.pid for process in descendants)]
        return []

    def close(self) -> None:
        """End the processes and delete the folder."""
        for process in self.processes() if self.kernel else []:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)


MODES = {"bubblewrap": Bubblewrap, "limits": LimitsOnly}


def choose_mode(wanted: str, limits: Limits) -> str:
    """Return where students' code will run: what is wanted, or the safest that works here.

    Raises GraderError if it does not work here, if this is not Linux, or if it would mean running students'
    code as root.
    """
    if sys.platform != "linux":
        raise GraderError(
            f"students' code is confined by Linux, not by {sys.platform}: grade in WSL 2 or in a VM"
        )
    problem = ""
    if wanted in ("auto", "bubblewrap"):
        try:
            if not shutil.which("bwrap"):
                raise GraderError("bubblewrap is not installed")
            Bubblewrap(limits).close()
            return "bubblewrap"
        except GraderError as error:
            if wanted == "bubblewrap":
                raise
            problem = f"{error}\n"
    if os.geteuid() == 0:
        raise GraderError(f"{problem}without a sandbox students' code would run as root: install bubblewrap")
    warning = (
        "WARNING: no sandbox. Students' code can read and write your files and use the network.\n"
        "WARNING: go on only with students whom you trust."
    )
    print(f"{problem}{warning}", file=sys.stderr)
    return "limits"

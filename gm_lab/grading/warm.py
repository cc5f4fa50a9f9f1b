"""A process that has imported what assignments import, and forks one kernel after the other from that state.

Importing PyTorch takes seconds, forking takes milliseconds. The warm process itself never runs a student's
code: a fork first enters a sandbox that bubblewrap has built (as `nsenter` does), drops every privilege, and
then becomes an IPython kernel. Run as `python -m gm_lab.grading.warm FD`; it ends when the socket at FD
closes.
"""

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from pathlib import Path

PRELOAD = (
    "torch", "numpy", "scipy.optimize", "scipy.stats", "sklearn.datasets", "sklearn.decomposition",
    "sklearn.mixture", "matplotlib.pyplot", "lightning_fabric", "ipykernel.kernelapp",
    "IPython.utils.capture", "matplotlib_inline.backend_inline", "gm_lab.data", "gm_lab.likelihood",
    "gm_lab.metrics", "gm_lab.notebook", "gm_lab.plots", "gm_lab.probability", "gm_lab.train",
    "gm_lab.autoencoders", "gm_lab.vae", "gm_lab.grading.checks",
)  # fmt: skip
NAMESPACES = ("ipc", "uts", "net", "pid", "cgroup", "mnt")
NS_GET_USERNS = 0xB701  # <linux/nsfs.h>
FIRST_USER = 1_000_000_000  # above all real ones; each sandbox has its own, and so its own limit on processes
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38  # <linux/prctl.h>
CAPABILITY_VERSION_3 = 0x20080522  # <linux/capability.h>

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    """Call into the C library; raise OSError where it says -1."""
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), f"{function.__name__}: {os.strerror(ctypes.get_errno())}")


def enter(holder: int) -> None:
    """Join the namespaces of a process. The process ids are joined by what is forked from here on.

    Without root this takes the rights of the user namespace that owns the others; bubblewrap may have put its
    process into one more user namespace inside of that, which is therefore joined last.
    """
    handles = {kind: os.open(f"/proc/{holder}/ns/{kind}", os.O_RDONLY) for kind in ("user", *NAMESPACES)}
    ours = {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in handles}
    order = [handles[kind] for kind in NAMESPACES if os.fstat(handles[kind]).st_ino != ours[kind]]
    if os.fstat(handles["user"]).st_ino != ours["user"]:
        owner = fcntl.ioctl(handles["mnt"], NS_GET_USERNS)
        nested = os.fstat(owner).st_ino != os.fstat(handles["user"]).st_ino
        order = [owner, *order, *([handles["user"]] if nested else [])]
    for handle in order:
        call(libc.setns, handle, 0)


def drop_privileges(user: int) -> None:
    """Become another user if this is root, and give up all capabilities for good."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    call(libc.capset, header, (ctypes.c_uint32 * 6)())
    call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    call(libc.prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)  # or the process could not read its own /proc/self


def set_limits(limits: dict) -> None:
    """Set resource limits by their names in the `resource` module; a lower one that holds stays."""
    for name, value in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def become_kernel(request: dict) -> None:
    """Turn this process into an IPython kernel that listens where the request says."""
    from ipykernel.kernelapp import IPKernelApp

    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.closerange(3, 4096)
    os.environ.update({name: request["home"] for name in ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR")})
    os.chdir(request["home"])
    connection_file = Path(request["home"], "kernel.json")
    connection_file.write_text(json.dumps(request["connection"]))
    app = IPKernelApp.instance()
    options = ["--HistoryManager.enabled=False", "--InteractiveShell.xmode=Minimal", "--log-level=CRITICAL"]
    app.initialize(["-f", str(connection_file), *options])
    app.start()


def run_kernel(request: dict) -> None:
    """Confine this process, be a kernel, and end; if it cannot start, say why in a file."""
    try:
        set_limits(request["limits"])
        if request["holder"]:
            drop_privileges(FIRST_USER + request["holder"])
        call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # a change of user clears it
        become_kernel(request)
    except BaseException:
        Path(request["home"], "kernel-failed").write_text(traceback.format_exc())
    finally:
        os._exit(0)


def fork_kernel(request: dict, channel: socket.socket) -> None:
    """Fork a keeper that enters the sandbox, forks the kernel there, says its id and waits for its end."""
    if os.fork():
        return
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        os.setsid()
        if request["holder"]:
            enter(request["holder"])
        call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        kernel = os.fork()
        if kernel == 0:
            channel.close()
            run_kernel(request)
        channel.sendall(json.dumps({"kernel": kernel}).encode() + b"\n")
        channel.close()
        os.waitpid(kernel, 0)
    except BaseException as error:  # whatever happens, this copy of the warm process must not go on serving
        with contextlib.suppress(OSError):
            channel.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
    finally:
        os._exit(1)


def preload() -> None:
    """Import what assignments import; where something is missing, the notebook that needs it will say so."""
    for name in PRELOAD:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(channel.fileno(), False)
    preload()
    gc.freeze()  # the collector of a fork need not look through all that is there already
    threads = len(os.listdir("/proc/self/task"))
    channel.sendall(json.dumps({"threads": threads}).encode() + b"\n")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave no zombies
    with contextlib.suppress(ConnectionResetError):  # the grader was killed
        for line in channel.makefile():
            fork_kernel(json.loads(line), channel)


if __name__ == "__main__":
    main()

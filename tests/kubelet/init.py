"""The first process of a node: containerd and the kubelet in a world of their own.

`python init.py PLAN`. A mount namespace keeps to themselves what they mount, and what they write to
places of the whole machine (/run, /var/lib, /var/log, /proc/sys). A process namespace takes every
container along when this process ends, however it ends. The network is the machine's.

SIGUSR1 ends the kubelet (containers run on), SIGUSR2 starts it again, SIGTERM ends the node.
PLAN is a JSON file: `containerd` and `kubelet` (command lines), `environment`, `folder` (for logs),
`hidden` (folders that get an empty file system), `settings` (files under /proc/sys and their text).
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_NEW_MOUNTS, _NEW_PROCESSES = 0x00020000, 0x20000000
_BIND, _RECURSIVE, _PRIVATE, _SHARED = 4096, 16384, 1 << 18, 1 << 20
_PR_SET_PDEATHSIG = 1
_HEARD = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGCHLD)
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """The outer half: makes the namespaces, and passes signals on until the inner half ends."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    _checked(_LIBC.unshare(_NEW_MOUNTS | _NEW_PROCESSES), "unshare")
    inner = os.fork()
    if inner == 0:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os._exit(_node(json.loads(Path(sys.argv[1]).read_text())))
    while (number := signal.sigwait(_HEARD)) != signal.SIGCHLD:
        os.kill(inner, number)
    return os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])


def _node(plan: dict[str, Any]) -> int:
    _furnish(plan)
    containerd = _start(plan, "containerd")
    kubelet = None
    while True:
        number = signal.sigwait(_HEARD)
        if number == signal.SIGTERM:
            return 0
        if number == signal.SIGUSR1 and kubelet is not None:
            kubelet.terminate()
        if number == signal.SIGUSR2:
            kubelet = _start(plan, "kubelet")
        _bury_orphans()
        if containerd.poll() is not None:
            return 1


def _furnish(plan: dict[str, Any]) -> None:
    _mount("none", "/", "", _RECURSIVE | _PRIVATE)
    # From here on shared again, among the node's own containers: one that looks after volumes of
    # others (`mountPropagation`) sees them come and go.
    _mount("none", "/", "", _RECURSIVE | _SHARED)
    _mount("proc", "/proc", "proc")
    for folder in plan["hidden"]:
        _mount("tmpfs", folder, "tmpfs")
    for number, (path, text) in enumerate(plan["settings"].items()):
        copy = Path(plan["folder"]) / f"setting-{number}"
        copy.write_text(f"{text}\n")
        _mount(str(copy), path, "", _BIND)


def _mount(source: str, target: str, kind: str, flags: int = 0) -> None:
    words = (source.encode(), target.encode(), kind.encode())
    _checked(_LIBC.mount(*words, ctypes.c_ulong(flags), None), f"mount of {target}")


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _start(plan: dict[str, Any], name: str) -> subprocess.Popen[bytes]:
    with (Path(plan["folder"]) / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            plan[name],
            env=os.environ | plan["environment"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # The mask that holds our signals back would be theirs, too.
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, ()),  # noqa: PLW1509
        )


def _bury_orphans() -> None:
    """What containers leave behind has this process as its parent."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main())

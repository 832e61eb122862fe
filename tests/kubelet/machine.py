"""Whether this machine can run a node, and what a node needs of it outside its own namespaces."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.realserver.programs import cache_root, one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "nodeslots-kubelet-"
"""How the names of all folders and cgroups begin that the tier makes."""
REQUIRE_VARIABLE = "NODESLOTS_REQUIRE_KUBELET"
_CAP_SYS_ADMIN = 21
_TOOLS = ("apt-get", "dpkg-deb")


def hindrance() -> str | None:
    """Why no node can run here, or None."""
    checks = (_not_linux, _not_root, _no_mounts, _no_cgroups, _no_tools)
    return next((why for check in checks if (why := check())), None)


def _not_linux() -> str | None:
    return None if sys.platform == "linux" else f"a node needs Linux, this is {sys.platform}"


def _not_root() -> str | None:
    return None if os.geteuid() == 0 else f"a node needs root, this is uid {os.geteuid()}"


def _no_mounts() -> str | None:
    able = _effective_rights() >> _CAP_SYS_ADMIN & 1
    return None if able else "a node mounts file systems, and CAP_SYS_ADMIN is missing"


def _effective_rights() -> int:
    """This process's capabilities, a bit each."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("CapEff:")[2].split()[0], 16)


def _no_cgroups() -> str | None:
    found = hierarchies()
    if not found:
        return "no cgroup hierarchy is mounted"
    for root in found:
        try:
            probe = Path(tempfile.mkdtemp(prefix=f"{MARK}probe-", dir=root))
            with contextlib.suppress(FileNotFoundError):  # a tier that begins or ends sweeps it
                probe.rmdir()
        except OSError as error:
            return f"no cgroup can be made in {root}: {error.strerror}"
    return None


def _no_tools() -> str | None:
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"containerd comes from Debian's packages, and {' and '.join(missing)} is missing"
    return None


def hierarchies() -> list[Path]:
    """Where cgroups are made: a folder for each controller (version 1), and that of version 2."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    kinds = {words[4]: words[words.index("-") + 1] for words in mounts}
    return [Path(point) for point, kind in kinds.items() if kind in ("cgroup", "cgroup2")]


def make_cgroup(name: str) -> None:
    """An own place for a node's Pods in every hierarchy; a new one has no CPUs until told."""
    for root in hierarchies():
        made = root / name
        made.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (made / setting).exists() and (root / setting).exists():
                (made / setting).write_text((root / setting).read_text())


def remove_cgroup(name: str) -> None:
    """Takes it away with all below it, as far as no process is in them."""
    for root in hierarchies():
        for folder, _, _ in os.walk(root / name, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


@contextmanager
def alone() -> Iterator[None]:
    """One tier at a time on this machine; what an earlier one left when killed goes first."""
    with one_at_a_time("Nodes for the tests", cache_root() / "kubelet.lock"):
        _sweep()
        yield
        _sweep()


def _sweep() -> None:
    for name in {path.name for root in hierarchies() for path in root.glob(f"{MARK}*")}:
        remove_cgroup(name)
    for folder in Path(tempfile.gettempdir()).glob(f"{MARK}*"):
        shutil.rmtree(folder, ignore_errors=True)


def is_required() -> bool:
    """Whether going without a kubelet is a failure."""
    return os.environ.get(REQUIRE_VARIABLE, "") not in ("", "0")

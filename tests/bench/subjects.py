"""What is measured, and how each is brought to the point where it is looked at."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.processes import Memory, started

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.coordinator import Coordinators

SETTLING = 0.5
"""Seconds between being ready and the look at the memory."""
LOADS = 100
AGENT = str(Path(sys.executable).parent / "slot-agent")


@dataclass(frozen=True, slots=True)
class Sample:
    """One start. `wall` and `cpu` in seconds; what does not apply is None."""

    wall: float | None
    cpu: float | None
    memory: Memory | None


Samples = dict[str, Sample]
"""By the row's name in the table."""


class Bench:
    """Subjects share a folder and the coordinators."""

    def __init__(self, coordinators: Coordinators, folder: Path) -> None:
        self._coordinators = coordinators
        self._folder = folder
        self._log = folder / "log"

    def python(self) -> Samples:
        """The interpreter alone: the ground that everything stands on."""
        with started([sys.executable, "-c", "pass"], {}, self._log) as process:
            wall, cpu = process.finished()
        idle = [sys.executable, "-uc", "import time; print('up'); time.sleep(600)"]
        memory = self._settled(idle, {}, lambda: "up" in self._log.read_text())
        return {"`python -c pass`": Sample(wall, cpu, memory)}

    def version(self) -> Samples:
        """The command's shortest answer."""
        with started([AGENT, "--version"], {}, self._log) as process:
            wall, cpu = process.finished()
        return {"`slot-agent --version`": Sample(wall, cpu, None)}

    def run(self) -> Samples:
        """From the start to the end of a command that does nothing; memory while one runs."""
        url, _ = self._coordinators.fresh(1)
        command = [AGENT, "run", "--load", "bench", "--"]
        with started([*command, "/bin/true"], _environ(url), self._log) as process:
            wall, cpu = process.finished()
        url, fake = self._coordinators.fresh(1)
        sleeping = [*command, "/bin/sleep", "600"]
        memory = self._settled(sleeping, _environ(url), lambda: bool(fake.holders))
        return {"`slot-agent run -- true`": Sample(wall, cpu, memory)}

    def hold(self) -> Samples:
        """Until its claim reaches the coordinator; memory while it is queued."""
        url, fake = self._coordinators.fresh(0)
        state = self._folder / "hold"
        state.mkdir(exist_ok=True)
        command = [AGENT, "hold", "--state-dir", str(state)]
        with started(command, _environ(url), self._log) as process:
            wall, cpu = process.ready(lambda: bool(fake.bodies))
            process.ready(lambda: len(fake.bodies) > 1)
            time.sleep(SETTLING)
            return {"`slot-agent hold`, waiting": Sample(wall, cpu, process.memory())}

    def sidecar(self) -> Samples:
        """Until its socket takes connections; memory before and after it took many loads."""
        url, fake = self._coordinators.fresh(LOADS)
        path = self._folder / "agent.sock"
        command = [AGENT, "sidecar", "--listen", str(path)]
        with started(command, _environ(url), self._log) as process, ExitStack() as clients:
            wall, cpu = process.ready(lambda: _accepts(path))
            time.sleep(SETTLING)
            idle = process.memory()
            for number in range(LOADS):
                clients.enter_context(_load(path, number))
            process.ready(lambda: len(fake.holders) == LOADS)
            time.sleep(SETTLING)
            full = process.memory()
        return {
            "`slot-agent sidecar`, idle": Sample(wall, cpu, idle),
            f"`slot-agent sidecar`, {LOADS} slots held": Sample(None, None, full),
        }

    def _settled(
        self,
        command: list[str],
        environ: Mapping[str, str],
        look: Callable[[], bool],
    ) -> Memory:
        with started(command, environ, self._log) as process:
            process.ready(look)
            time.sleep(SETTLING)
            return process.memory()


def folder() -> tempfile.TemporaryDirectory[str]:
    """A place for sockets, whose paths have to be short."""
    return tempfile.TemporaryDirectory(prefix="bench-")


def _environ(url: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "NODE_SLOTS_URL": url,
        "NODE_SLOTS_NAMESPACE": "velero",
        "NODE_NAME": "node1",
        "POD_NAMESPACE": "velero",
        "POD_NAME": "bench",
        "POD_UID": "bench-uid",
    }


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.connect(str(path))
        return True
    return False


def _load(path: Path, number: int) -> socket.socket:
    """A connection that holds a slot once it is granted."""
    body = f'{{"load": "load-{number}"}}'
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    head = f"POST /v1/slots HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall((head + body).encode())
    return client

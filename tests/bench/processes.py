"""One measured process: started, looked at through /proc, and ended."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.account import cpu_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PATIENCE = 60.0
"""Seconds for anything to happen."""
_LOOK_EVERY = 0.001


class EndedEarly(Exception):
    """A process ended before it was ready; the message is the last line it wrote."""


@dataclass(frozen=True, slots=True)
class Memory:
    """In MiB: resident; resident and written to; resident, shared pages counted in part."""

    rss: float
    anonymous: float
    pss: float


class Measured:
    """A process since its start. Its output goes to `log`."""

    def __init__(self, command: list[str], environ: Mapping[str, str], log: Path) -> None:
        self._log = log
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        self._began = time.perf_counter()
        self.pid = os.posix_spawn(command[0], command, environ, file_actions=actions)
        self.running = True

    def finished(self) -> tuple[float, float]:
        """Wait for its end: wall and CPU time in seconds. Raises `EndedEarly` when it failed."""
        _, status, usage = os.wait4(self.pid, 0)
        self.running = False
        if status:
            raise EndedEarly(self.last_words())
        return self._age(), usage.ru_utime + usage.ru_stime

    def ready(self, look: Callable[[], bool]) -> tuple[float, float]:
        """Wait until `look` is true. Returns wall and CPU time since the start, in seconds."""
        while not look():
            if self._ended():
                raise EndedEarly(self.last_words())
            assert self._age() < PATIENCE, f"not ready after {PATIENCE:g} s: {self.last_words()}"
            time.sleep(_LOOK_EVERY)
        return self._age(), self.cpu()

    def cpu(self) -> float:
        """CPU seconds of all its threads so far."""
        return cpu_of(self.pid)

    def sleeps(self) -> bool:
        """Whether it waits for something."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "S"

    def memory(self) -> Memory:
        """What it takes now."""
        found: dict[str, float] = {}
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, amount = line.split()[:2]
            found[name] = int(amount) / 1024
        return Memory(found["Rss:"], found["Anonymous:"], found["Pss:"])

    def last_words(self) -> str:
        """The last line of its output."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def end(self) -> None:
        """TERM, and KILL when that is not enough."""
        deadline = time.monotonic() + PATIENCE
        self._send(signal.SIGTERM)
        while not self._ended():
            if time.monotonic() > deadline:
                self._send(signal.SIGKILL)
            time.sleep(_LOOK_EVERY)

    def _send(self, number: signal.Signals) -> None:
        if self.running:
            os.kill(self.pid, number)

    def _ended(self) -> bool:
        if self.running:
            pid, _ = os.waitpid(self.pid, os.WNOHANG)
            self.running = pid == 0
        return not self.running

    def _age(self) -> float:
        return time.perf_counter() - self._began


@contextmanager
def started(command: list[str], environ: Mapping[str, str], log: Path) -> Iterator[Measured]:
    """A process that is ended with the block."""
    process = Measured(command, environ, log)
    try:
        yield process
    finally:
        process.end()

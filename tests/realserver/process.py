"""One server process on its leash: started, watched and ended without leaving anything behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path

LEASH = Path(__file__).with_name("leash.py")
_SERVERS = (20000, 32768)
_CHANCE = random.SystemRandom()
"""Not seeded anew for each test, or tests side by side would choose the same ports."""
_CHOSEN: set[int] = set()
"""Ports that were told already: the one who was told may listen only in a while."""


class Process:
    """A running program; its output goes to `log`. Raises OSError when it cannot be started."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.name = Path(command[0]).name
        self._log = log
        with log.open("ab") as output:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", "-S", str(LEASH), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                # Ctrl-C in a terminal is for pytest, which then ends its servers in order.
                start_new_session=True,
            )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        told = self._leash.stdout.readline() if self._leash.stdout else b""
        if not told:
            self.end()
            raise OSError(f"{self.name} could not be started: {self.last_words()}")
        return int(told)

    def is_running(self) -> bool:
        return self._leash.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to the program itself (SIGSTOP freezes it, SIGCONT thaws it)."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):  # it ended, and its leash tells that soon
                os.kill(self.pid, number)

    def end(self, grace_seconds: float = 0.0) -> None:
        """Ends it: SIGTERM first when grace is given, SIGKILL after that. Idempotent."""
        if grace_seconds:
            self.send(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._leash.wait(grace_seconds)
        for pipe in (self._leash.stdin, self._leash.stdout):
            if pipe is not None:
                pipe.close()
        self._leash.wait()

    def last_words(self) -> str:
        """The last lines of its output, for an error message."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])


def free_port() -> int:
    """A loopback port that nobody listens on now, and that no outgoing connection is given.

    Those get theirs from above (`ip_local_port_range`): one of them could take the port of a
    server that is down for a moment. Nor is it one that this process, or another worker of this
    run, was told before: it may be free only because its server has not come to listen yet.
    """
    ours = _of_this_worker()
    while True:
        if _CHOSEN.issuperset(ours):
            _CHOSEN.clear()
        port = _CHANCE.choice(ours)
        if port in _CHOSEN:
            continue
        _CHOSEN.add(port)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _of_this_worker() -> range:
    """The ports for this process: each of pytest-xdist's workers has its own."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return range(_SERVERS[0] + number % workers, _SERVERS[1], workers)

"""The coordinator as a process that is measured."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.account import cpu_of, resident
from tests.realserver.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 120.0
"""Seconds until it has to be ready."""
SETTLED = 1.5
"""Seconds after the first full picture until slots are granted, and a little more (promise P9)."""
_COMMAND = str(Path(sys.executable).parent / "slot-coordinator")


class Measured(Process):
    """A server that agents may ask at `url`."""

    def __init__(self, url: str, command: list[str], log: Path) -> None:
        self.url = url
        super().__init__(command, log)

    def cpu(self) -> float:
        """CPU seconds of all its threads so far."""
        return cpu_of(self.pid)

    def rss(self) -> float:
        """MiB that it has resident."""
        return resident(self.pid) / 2**20


class Served(Measured):
    """`slot-coordinator serve` over plain HTTP on loopback, open to everybody there."""

    def __init__(self, flags: Sequence[str], log: Path) -> None:
        listen, health = free_port(), free_port()
        self.health = f"http://127.0.0.1:{health}"
        own = ["--auth", "none", "--listen-address", "127.0.0.1", "--listen-port", str(listen)]
        own += ["--health-address", "127.0.0.1", "--health-port", str(health)]
        super().__init__(f"http://127.0.0.1:{listen}", [_COMMAND, "serve", *own, *flags], log)

    def wait_ready(self) -> None:
        """Until it leads, knows who holds and grants."""
        deadline = time.monotonic() + PATIENCE
        while not self._grants():
            assert self.is_running(), f"the coordinator ended: {self.last_words()}"
            assert time.monotonic() < deadline, f"not ready: {self.last_words()}"
            time.sleep(0.02)
        time.sleep(SETTLED)

    def _grants(self) -> bool:
        try:
            told = self.get("/v1/status")
        except OSError:
            return False
        return bool(told["leading"]) and all(pool["ready"] for pool in told["pools"])

    def get(self, path: str) -> Any:
        """The JSON of a GET. Raises `OSError`, which `HTTPError` is too."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def metrics(self) -> str:
        """Its metrics, as Prometheus reads them."""
        with urllib.request.urlopen(f"{self.health}/metrics", timeout=30) as answer:
            return str(answer.read().decode())

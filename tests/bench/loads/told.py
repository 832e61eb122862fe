"""How a load is told what to do, and how it tells what it saw."""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.bench.scenario import Figures


def main(load: Callable[[dict[str, Any]], Coroutine[None, None, Figures]]) -> None:
    """Run the load with the JSON object of the last argument, and print its figures."""
    config: dict[str, Any] = orjson.loads(sys.argv[-1])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(load(config))
    sys.stdout.write(orjson.dumps(figures).decode() + "\n")


def tls(config: dict[str, Any]) -> ssl.SSLContext:
    """What the API server is verified with."""
    return ssl.create_default_context(cafile=config["ca"])


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile; `share` between 0 and 1. Nan of nothing."""
    if not values:
        return float("nan")
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread(seconds: list[float]) -> Figures:
    """Latencies as figures, in milliseconds."""
    shares = {"p50 ms": 0.5, "p99 ms": 0.99, "worst ms": 1.0}
    return {name: 1000 * percentile(seconds, share) for name, share in shares.items()}


class Window:
    """What is counted between the warm-up's end and the measurement's."""

    def __init__(self, warm_up: float, seconds: float) -> None:
        self.begin = time.perf_counter() + warm_up
        self.end = self.begin + seconds
        self.seconds = seconds
        self.count = 0
        self.total = 0
        self._cpu = time.process_time()
        self.latencies: list[float] = []

    @property
    def over(self) -> bool:
        """Whether it is past its end."""
        return time.perf_counter() >= self.end

    def done(self, began: float) -> None:
        """Something that began then is done now."""
        now = time.perf_counter()
        self.total += 1
        if self.begin <= now < self.end:
            self.count += 1
            self.latencies.append(now - began)

    def figures(self) -> Figures:
        """How many a second and how long each took; and of the whole run, warm-up and all, how many
        there were and this process's CPU time.
        """
        counted = {
            "per second": self.count / self.seconds,
            "total": float(self.total),
            "load CPU s": time.process_time() - self._cpu,
        }
        return counted | spread(self.latencies)

"""Seeds in batches, each batch in a process of its own, and what is told of them."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from tests.simulation.world import run_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCH = 10
"""Seeds that one process runs before it tells."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of a seed across processes. `virtual` is in seconds of its own time."""

    seed: int
    violations: tuple[str, ...]
    digest: str
    virtual: float
    stats: dict[str, float] = field(default_factory=dict)


def hush() -> None:
    """The product's log lines are not wanted: they would cost more than what they tell of."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)


def run_batch(seeds: range) -> list[Summary]:
    """Run these seeds one after the other."""
    hush()
    gc.freeze()  # what is there by now stays: no need to look at it again and again
    return [summary_of(seed) for seed in seeds]


def summary_of(seed: int) -> Summary:
    """Run one seed."""
    done = run_seed(seed)
    return Summary(
        seed, tuple(done.violations), done.log.digest(), done.stats["virtual seconds"], done.stats
    )


def run_many(seeds: range, workers: int, report: Report) -> None:
    """Run all seeds and report each batch as it comes back."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context) as pool:
        for batch in pool.map(run_batch, _batches(seeds)):
            report.add(batch)


def _batches(seeds: range) -> Iterator[range]:
    for first in range(seeds.start, seeds.stop, BATCH):
        yield range(first, min(first + BATCH, seeds.stop))


def run_traced(seed: int, say: Callable[[str], object]) -> int:
    """Print every step of one seed, the product's own log lines in between. 1: a broken promise."""
    structlog.configure(
        processors=[_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
    )
    done = run_seed(seed, echo=say)
    say(f"log {done.log.digest()}, {len(done.log.lines)} lines")
    for violation in done.violations:
        say(violation)
    return 1 if done.violations else 0


def _line(_logger: object, level: str, event: structlog.typing.EventDict) -> str:
    what = event.pop("event")
    more = " ".join(f"{key}={value}" for key, value in event.items() if key != "namespace")
    return f"{'':11} {'':8}   {level}: {what} {more}"


class Report:
    """Counts, and says now and then how far it is."""

    def __init__(self, say: Callable[[str], object], *, digests: bool = False) -> None:
        self._say = say
        self._digests = digests
        self._began = self._said = time.monotonic()
        self.failures: list[Summary] = []
        self.seeds = 0
        self.virtual = 0.0
        self.totals: dict[str, float] = {}

    def add(self, batch: list[Summary]) -> None:
        """Some seeds are done."""
        for one in batch:
            self.seeds += 1
            self.virtual += one.virtual
            if self._digests:
                self._say(f"seed {one.seed}: log {one.digest}")
            for what, count in one.stats.items():
                self.totals[what] = self.totals.get(what, 0) + count
            if one.violations:
                self.failures.append(one)
                self._failed(one)
        if time.monotonic() - self._said >= 10:
            self._said = time.monotonic()
            self._say(self._pace())

    def _failed(self, one: Summary) -> None:
        self._say(f"seed {one.seed}: {one.violations[0]}")
        self._say(f"  python -m tests.simulation --trace --first-seed {one.seed}")

    def _pace(self) -> str:
        took = time.monotonic() - self._began
        hours = self.virtual / 3600
        return (
            f"{self.seeds} seeds, {len(self.failures)} failed, {self.seeds / took:.1f} seeds/s,"
            f" {hours:.1f} simulated hours, {hours / took:.3f} of them a second"
        )

    def end(self) -> None:
        """The sums."""
        self._say(", ".join(f"{what} {count:.0f}" for what, count in sorted(self.totals.items())))
        self._say(self._pace())

"""What one coordinator carries, and what breaks first: the costs of docs/performance.json added up.

`python -m tests.bench.model [--write]`. Two ways that have to agree: sums on paper, and a queueing
simulation of the same costs (`tests/bench/queueing.py`). Both are held against what was measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench import report
from tests.bench.queueing import Costs, saturated

if TYPE_CHECKING:
    from collections.abc import Sequence

SYNC_EVERY = 20.0
"""Seconds between two syncs of an agent that has no news: a third of the TTL of 60."""
HELD = 10
"""Slots held on each node: those of S5."""
FULL = 0.8
"""The share of a core, or of all of them, from which on waiting times grow out of hand."""
CORES = 4
"""Of the machine that the API server and etcd have for themselves, in the tables."""


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU milliseconds as measured: of one saturated cycle, and of one sync that renews."""

    cycle: Costs
    sync: float
    throughput: float
    """Saturated cycles per second, all on two cores."""
    concurrency: int = 32


@dataclass(frozen=True, slots=True)
class Demand:
    """A cluster: its nodes, and the loads that begin on each of them in an hour."""

    nodes: int
    hourly: float

    @property
    def cycles(self) -> float:
        """Grants per second: with queues everywhere each of them is one hand-over, one write."""
        return self.nodes * self.hourly / 3600

    @property
    def syncs(self) -> float:
        """Syncs per second that say nothing new."""
        return self.nodes / SYNC_EVERY


def share(demand: Demand, measured: Measured) -> float:
    """Of one core, what the coordinator takes."""
    return (demand.cycles * measured.cycle.coordinator + demand.syncs * measured.sync) / 1000


def server_share(demand: Demand, measured: Measured) -> float:
    """Of `CORES`, what API server and etcd take for it."""
    return demand.cycles * measured.cycle.server / 1000 / CORES


def most_nodes(hourly: float, measured: Measured) -> tuple[int, str]:
    """How many nodes one coordinator carries at that many loads an hour on each, and what is full
    first.
    """
    one = Demand(1, hourly)
    limits = {
        "the coordinator's core": FULL / share(one, measured),
        "API server and etcd": FULL / server_share(one, measured),
    }
    first = min(limits, key=lambda name: limits[name])
    return int(limits[first]), first


def read(data: bytes) -> Measured:
    """The costs, from the JSON of S1 and S5. Raises `KeyError` where one was not measured."""
    scenarios = {one["key"]: one["rounds"] for one in orjson.loads(data)["scenarios"]}
    cycle = {name: _median(scenarios["S1"], name) for name in _CYCLE}
    syncs = 5_000 / SYNC_EVERY
    return Measured(
        cycle=Costs(**{field: cycle[name] for name, field in _CYCLE.items()}),
        sync=1000 * _median(scenarios["S5"], "share of a core") / syncs,
        throughput=_median(scenarios["S1"], "per second"),
    )


_CYCLE = {
    "coordinator CPU ms": "coordinator",
    "API server CPU ms": "api_server",
    "etcd CPU ms": "etcd",
    "load CPU ms": "load",
}


def _median(rounds: Sequence[dict[str, Any]], name: str) -> float:
    return float(statistics.median(shown["node-slots"][name] for shown in rounds))


def tables(measured: Measured) -> str:
    """The model against the measurement, and what it says of other sizes; Markdown."""
    return "\n".join([*_costs(measured), "", *_check(measured), "", *_sizes(measured)])


def _costs(measured: Measured) -> list[str]:
    cost = measured.cycle
    parts = (cost.coordinator, cost.api_server, cost.etcd, measured.sync)
    return [
        "| a cycle: coordinator, ms | API server, ms | etcd, ms | a sync of ten renewals, ms |",
        "|---|---|---|---|",
        f"| {' | '.join(report.number(part) for part in parts)} |",
    ]


def _check(measured: Measured) -> list[str]:
    paper = measured.cycle.bound(cores=2)
    played = saturated(measured.cycle, cores=2, agents=measured.concurrency)
    rows = (
        ("on paper", paper),
        ("simulated", played.per_second),
        ("measured (S1)", measured.throughput),
    )
    lines = ["| saturated cycles on two cores | per second |", "|---|---|"]
    return [*lines, *(f"| {name} | {report.number(value)} |" for name, value in rows)]


def _sizes(measured: Measured) -> list[str]:
    lines = [
        "| loads an hour on each node | nodes | full first | grants a second | syncs a second |",
        "|---|---|---|---|---|",
    ]
    for hourly in (1, 6, 60, 600):
        nodes, first = most_nodes(hourly, measured)
        there = Demand(nodes, hourly)
        cells = [f"{hourly:,}", f"{nodes:,}", first, f"{there.cycles:,.0f}", f"{there.syncs:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and write them where they belong."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.model", description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md too")
    options = parser.parse_args(arguments)
    text = tables(read(report.DATA.read_bytes()))
    sys.stdout.write(text + "\n")
    if options.write:
        report.PAGE.write_text(report.placed(report.PAGE.read_text(), "model", text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

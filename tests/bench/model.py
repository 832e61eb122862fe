"""What one coordinator carries, and what breaks first: the costs of docs/performance.json added up.

`python -m tests.bench.model [--write]`. Two ways that have to agree: sums on paper, and a queueing
simulation of the same costs (`tests/bench/queueing.py`). Both are held against what was measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from tests.bench import report
from tests.bench.queueing import Costs, saturated
from tests.bench.scenarios.s10_growth import slowest

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
    """CPU milliseconds as measured: of one saturated cycle, of one sync that renews, and of one
    node at midnight.
    """

    cycle: Costs
    sync: float
    throughput: float
    """Saturated cycles per second, all on two cores."""
    midnight: Costs
    grants: float
    """First grants per second at midnight, on two cores."""
    growth: float
    """Cycles per second at S10's worst size, of those at its smallest."""
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
    """The costs, from the JSON of S1, S5, S6 and S10. Raises `KeyError` where one is missing."""
    scenarios = {one["key"]: one["rounds"] for one in orjson.loads(data)["scenarios"]}
    syncs = 5_000 / SYNC_EVERY
    return Measured(
        cycle=_costs_of(scenarios["S1"]),
        sync=1000 * _median(scenarios["S5"], "share of a core") / syncs,
        throughput=_median(scenarios["S1"], "per second"),
        midnight=_costs_of(scenarios["S6"]),
        grants=_median(scenarios["S6"], "per second"),
        growth=statistics.median(map(slowest, scenarios["S10"])),
    )


def _costs_of(rounds: Sequence[dict[str, Any]]) -> Costs:
    return Costs(**{field: _median(rounds, name) for name, field in _COSTS.items()})


_COSTS = {
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
    """Each row: what is reckoned, on paper, simulated where that says more, and as measured."""
    cycle, midnight = measured.cycle, measured.midnight
    played = saturated(cycle, cores=2, agents=measured.concurrency).per_second
    dear = share(Demand(5_000, 0.0), replace(measured, sync=cycle.coordinator))
    rows: tuple[tuple[str, float, float | None, float], ...] = (
        ("S1, cycles a second on two cores", cycle.bound(2), played, measured.throughput),
        ("S6, first grants a second on two cores", midnight.bound(2), None, measured.grants),
        (
            "S5, share of a core, if a sync cost as much as a cycle",
            dear,
            None,
            share(Demand(5_000, 0.0), measured),
        ),
        ("S10, cycles at the worst size, of those at the smallest", 1.0, None, measured.growth),
    )
    lines = ["| the model against | on paper | simulated | measured |", "|---|---|---|---|"]
    return [*lines, *(f"| {name} | {' | '.join(map(_shown, told))} |" for name, *told in rows)]


def _shown(value: Any) -> str:
    return "" if value is None else report.number(value)


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

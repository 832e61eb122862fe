"""The series of each node as text, in the Prometheus text format.

A cluster has thousands of them, and to write each by itself, as the client library does, would keep
everybody waiting: the names of nodes and of namespaces need no escaping, so each is written as is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.service import metrics_table as table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from coordinator.service.metrics_pools import Watched
    from coordinator.service.metrics_table import PerNode
    from coordinator.service.status import NodeCounts

_Row = tuple[str, "NodeCounts", float]
"""A node's labels, its numbers, and the seconds of its longest wait."""


class NodeSeries:
    """Those of `pools`, where they are few enough or asked for."""

    def __init__(self, per_node: PerNode) -> None:
        self.pools: Callable[[], Iterable[Watched]] = tuple
        """Which there are; none at first."""
        self._per_node = per_node

    def text(self) -> bytes:
        """What is true now, to be added to a scrape."""
        rows = [row for pool in self.pools() if self._shows(pool) for row in _rows(pool)]
        return "".join(_families(rows)).encode() if rows else b""

    def _shows(self, pool: Watched) -> bool:
        if pool.ready():
            return False
        few = pool.tally.totals().nodes < table.MANY_NODES
        return few if self._per_node == "auto" else self._per_node == "always"


def _rows(pool: Watched) -> Iterator[_Row]:
    for node in pool.nodes():
        if (counts := pool.tally.of(node)) is not None:
            labels = f'{{namespace="{pool.namespace}",node="{node}"}}'
            yield labels, counts, pool.tally.longest_wait(node)


def _families(rows: list[_Row]) -> Iterator[str]:
    for one, read in _VALUES.items():
        yield f"# HELP {one.name} {one.help}\n# TYPE {one.name} {one.kind}\n"
        yield "".join([f"{one.name}{row[0]} {read(row)}\n" for row in rows])


_VALUES: dict[table.Family, Callable[[_Row], float]] = {
    table.HELD: lambda row: row[1].held,
    table.LIMIT: lambda row: row[1].limit,
    table.QUEUE: lambda row: row[1].queued,
    table.UNRESPONSIVE: lambda row: row[1].unresponsive,
    table.LONGEST_WAIT: lambda row: row[2],
}

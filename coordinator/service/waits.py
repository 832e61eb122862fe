"""Tells of claims that wait for long, with an Event on the Pod of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.waits import has_long_wait, long_waits
from coordinator.core.words import names
from coordinator.kube.events import ObjectRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coordinator.core.slots import NodeTable
    from coordinator.core.waits import LongWait
    from coordinator.service.hands import Tell
    from coordinator.service.reports import StreamReports

WAITING = "SlotWaiting"
"""The reason of the Events that tell of a long wait."""
MOST = 5
"""Events at each look, that is, per second: a thousand may begin to wait at once."""
SHOWN = 5
"""Holders that are named; of the others their number is told."""


class LongWaits:
    """Those of one pool. `events(about, reason, message)` writes an Event."""

    def __init__(
        self,
        namespace: str,
        events: Tell,
        streams: StreamReports,
        now: Callable[[], float],
    ) -> None:
        self._namespace = namespace
        self._events = events
        self._streams = streams
        self._now = now
        self._late: dict[str, NodeTable] = {}
        """Tables that may have waits to be told of, by node."""

    def tell(self, tables: Iterable[NodeTable]) -> None:
        """Warn of the longest waits that were not told of yet; each is told once. `tables` are
        those that were looked at since the last call.

        While the API server is away nobody could be told, so all that is due waits for it.
        """
        self._late.update((table.node, table) for table in tables)
        if self._streams.is_broken("leases"):
            return
        now = self._now()
        waits = long_waits(self._late.values(), now, MOST)
        self._late = {n: table for n, table in self._late.items() if has_long_wait(table, now)}
        for wait in waits:
            pod = wait.pod
            about = ObjectRef("Pod", pod.name, pod.namespace, pod.uid)
            self._events(about, WAITING, sentence(self._namespace, wait))


def sentence(namespace: str, wait: LongWait) -> str:
    """The long wait in words."""
    where = f"a slot of node {wait.node} in pool {namespace}"
    since = duration(wait.seconds)
    return f"load {wait.load} has been waiting for {where} for {since}: {details(wait)}"


def details(wait: LongWait) -> str:
    """Its place, what stands in its way, and who holds."""
    text = f"position {wait.position} of {wait.queued}, {wait.reason}"
    return f"{text}; held by {names(wait.holders, SHOWN)}" if wait.holders else text


def duration(seconds: float) -> str:
    """In whole minutes, or in seconds where they are few."""
    return f"{seconds // 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"

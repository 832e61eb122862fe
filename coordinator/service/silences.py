"""Tells of holders that are silent and cannot be shown to have ended, with Events.

Only a person can find out whether such a load still runs, so somebody has to hear of it: on the
Lease, which is what frees the slot, and on the Pod, which is what to look at.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from coordinator.core.listing import unresponsive
from coordinator.service.reports import lease_and_pod
from coordinator.service.waits import MOST, LongWaits, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from coordinator.core.claims import Claim
    from coordinator.core.model import Lease
    from coordinator.core.slots import NodeTable
    from coordinator.service.hands import Tell
    from coordinator.service.reports import StreamReports

UNRESPONSIVE = "HolderUnresponsive"
"""The reason of these Events."""

_Silence = tuple["NodeTable", "Claim", "Lease"]


class Troubles:
    """What a pool tells people of at each look: its long waits, and its silent holders."""

    def __init__(
        self, namespace: str, tell: Tell, streams: StreamReports, now: Callable[[], float]
    ) -> None:
        self._waits = LongWaits(namespace, tell, streams, now)
        self._silences = Silences(namespace, tell, streams, now)

    def tell(self, tables: Iterable[NodeTable]) -> None:
        """Tell what was not told yet, a few of each. `tables` are those that were looked at now: a
        silent holder's is, each time.
        """
        known = tuple(tables)
        self._waits.tell(known)
        self._silences.tell(known)


class Silences:
    """Those of one pool. Each is told once; who speaks again and falls silent is told anew."""

    def __init__(
        self, namespace: str, tell: Tell, streams: StreamReports, now: Callable[[], float]
    ) -> None:
        self._namespace = namespace
        self._tell = tell
        self._streams = streams
        self._now = now
        self._told: dict[tuple[str, str], None] = {}

    def tell(self, tables: Iterable[NodeTable]) -> None:
        """Warn of those that were not told of yet. While the API server is away they wait for it:
        its agents may be silent for the same reason.
        """
        found = {
            (table.node, claim.id): (table, claim, lease) for table, claim, lease in _in(tables)
        }
        self._told = {place: None for place in self._told if place in found}
        if self._streams.is_broken("leases"):
            return
        new = (place for place in found if place not in self._told)
        for place in tuple(islice(new, MOST)):
            self._told[place] = None
            self._warn(*found[place])

    def _warn(self, table: NodeTable, claim: Claim, lease: Lease) -> None:
        text = sentence(self._namespace, table.node, claim, lease.name, self._now())
        for about in lease_and_pod(self._namespace, lease, claim.terms.pod):
            self._tell(about, UNRESPONSIVE, text)


def _in(tables: Iterable[NodeTable]) -> Iterator[_Silence]:
    for table in tables:
        for claim in unresponsive(table):
            leases = (slot.lease for slot in table.picture.slots_of(claim.id) if slot.lease)
            yield from ((table, claim, lease) for lease in islice(leases, 1))


def sentence(namespace: str, node: str, claim: Claim, lease: str, now: float) -> str:
    """That the slot is kept, in words, and what can be done."""
    pod = claim.terms.pod
    where = f"Pod {pod}" if pod else "Pod"
    return (
        f"slot {lease} is kept for load {claim.terms.load} (claim {claim.id}): its agent has been"
        f" silent for {duration(now - claim.renewed)}, and its {where} cannot be shown to have"
        f" ended. Look at the Pod and at node {node}; once the load is known to be dead: kubectl"
        f" delete lease {lease} -n {namespace}"
    )

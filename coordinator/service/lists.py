"""A list of all Leases, taken into the tables of their nodes: picture by picture, in slices."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from coordinator.core.messages import Relisted
from coordinator.kube import records
from coordinator.service.backlog import Backlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from coordinator.core.messages import Event
    from coordinator.core.model import Lease
    from coordinator.kube.answers import Json
    from coordinator.kube.reflector import Listed
    from coordinator.service.desk import Desk
    from coordinator.service.hands import Hands
    from coordinator.service.reports import PoolReports

    Placed = tuple[str, int, Lease]


def placed(obj: Json) -> Placed | None:
    """A Lease with the node and the ordinal of its slot; None for one that is no slot's."""
    lease = records.parse(obj)
    place = records.place_of(lease)
    return (*place, lease) if place else None


class Lists:
    """Those of one pool. `open_desk` gives a node's desk, `apply` feeds an event to its table.

    A newer list takes the place of what was not told yet of an older one: both are consistent.
    """

    def __init__(
        self,
        desks: Mapping[str, Desk],
        open_desk: Callable[[str], Desk],
        apply: Callable[[Desk, Event], object],
        reports: PoolReports,
        now: Callable[[], float],
        hands: Hands,
    ) -> None:
        self.whole = False
        """Whether every table knows at least one list."""
        self._desks = desks
        self._open_desk = open_desk
        self._apply = apply
        self._found: dict[str, dict[int, Lease]] = {}
        self._started = 0.0
        self._reports = reports
        self._now = now
        self._hands = hands
        self._backlog = Backlog(self._tell, now, hands.spawn, self._told)
        self.left = self._backlog.left
        """Nodes whose table has not been told yet."""
        self.bring = self._backlog.bring

    def take(self, event: Listed) -> None:
        """The list is there."""
        self._found, self._started = _by_node(event.items), event.started
        self._backlog.put(chain(self._found, self._desks))

    def _tell(self, node: str) -> None:
        leases = self._found.pop(node, {})
        desk = self._desks.get(node) or self._open_desk(node)
        self._apply(desk, Relisted(leases, self._started))

    def _told(self) -> None:
        if not self.whole:
            self.whole = True
            self._reports.took_over(len(self._desks), self._now() - self._started)
            self._hands.relist_pods()  # some finished while nobody looked; who holds is known now


def _by_node(items: Iterable[Placed | None]) -> dict[str, dict[int, Lease]]:
    found: dict[str, dict[int, Lease]] = {}
    for node, ordinal, lease in filter(None, items):
        found.setdefault(node, {})[ordinal] = lease
    return found

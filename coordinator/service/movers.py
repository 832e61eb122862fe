"""Velero's data mover Pods in one pool's namespace: which there are, and which take no slot.

The watch of Pods shows metadata of those that have not finished. A mover without the label of the
injection is ungoverned: it runs beside the limit, so it is counted once by its uid, and told of in
the log and with an Event on it. A new leader counts from 0 and tells of those that it finds.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any

from coordinator.core.model import PodRef
from coordinator.core.movers import is_for_windows, is_governed, kind_of
from coordinator.core.prepare import Mover, near_timeouts, warnings
from coordinator.kube.errors import ApiError
from coordinator.kube.events import ObjectRef
from coordinator.kube.reflector import Changed, Deleted, Listed
from coordinator.service.prepare import tell_of_timeout
from coordinator.service.status import MoversStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.core.claims import Claim, Policy
    from coordinator.core.pods import PodIndex
    from coordinator.core.prepare import TableOf
    from coordinator.core.slots import NodeTable
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.clock import Clock
    from coordinator.service.hands import Hands
    from coordinator.service.reports import PoolReports

UNGOVERNED = "MoverUngoverned"
"""The reason of the Events that tell of an ungoverned mover."""
MOST = 5
"""Events of each kind at one look, that is, per second."""
SHOWN = 20
"""Ungoverned movers that are named."""


class Movers:
    """Those of one pool; `named` and `table_of` find the claims of their Pods."""

    def __init__(
        self,
        namespace: str,
        hands: Hands,
        reports: PoolReports,
        clock: Clock,
        policy: Policy,
        named: PodIndex,
        table_of: TableOf,
    ) -> None:
        self._namespace = namespace
        self._hands = hands
        self._reports = reports
        self._clock = clock
        self._timeout = policy.prepare_timeout
        self._claims = named, table_of
        self._movers: dict[str, Mover] = {}
        """By uid."""
        self._untold: deque[Mover] = deque()
        self._seen = 0
        self._asking = False

    def take(self, event: StreamEvent) -> None:
        """What the watch of the namespace's Pods says."""
        match event:
            case Listed():
                before, self._movers = self._movers, {}
                for obj in event.items:
                    self._see(obj, before)
            case Changed():
                self._see(event.obj, self._movers)
            case Deleted():
                self._movers.pop(event.obj["metadata"]["uid"], None)

    def _see(self, obj: dict[str, Any], before: dict[str, Mover]) -> None:
        head = obj["metadata"]
        labels = head.get("labels") or {}
        kind = kind_of(labels)
        if kind is None:
            self._movers.pop(head["uid"], None)
            return
        mover = before.get(head["uid"])
        if mover is None:
            pod = PodRef(head["namespace"], head["name"], head["uid"])
            mover = Mover(pod, kind, True, self._clock.now() - self._age(head))
        mover.governed = is_governed(labels)
        self._movers[head["uid"]] = mover
        if not (mover.governed or mover.counted):
            self._count(mover)

    def _age(self, head: dict[str, Any]) -> float:
        """Seconds since the Pod was made, as far as two clocks agree."""
        try:
            made = datetime.fromisoformat(head["creationTimestamp"])
            return max(0.0, (self._clock.wall() - made).total_seconds())
        except (KeyError, TypeError, ValueError):
            return 0.0

    def _count(self, mover: Mover) -> None:
        mover.counted = True
        self._seen += 1
        self._untold.append(mover)
        self._reports.saw_ungoverned()

    def status(self) -> MoversStatus:
        """What there is of them now, and how many ungoverned ones this leader has seen."""
        without = [mover for mover in self._movers.values() if not mover.governed]
        return MoversStatus(
            governed=len(self._movers) - len(without),
            ungoverned=len(without),
            ungoverned_seen=self._seen,
            ungoverned_pods=tuple((one.pod, one.kind) for one in without[:SHOWN]),
            near_timeout=sum(1 for _ in self._near()),
        )

    def _near(self) -> Iterator[tuple[Mover, NodeTable, Claim]]:
        movers = self._movers.values()
        return near_timeouts(movers, *self._claims, self._timeout, self._clock.now())

    # --- telling ------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Tell of some ungoverned movers, and of those that Velero is about to fail.

        While the API server is away nobody could be told, so all waits for it.
        """
        if self._reports.streams.is_broken("leases"):
            return
        movers, now = self._movers.values(), self._clock.now()
        for near in warnings(movers, *self._claims, self._timeout, now, MOST):
            tell_of_timeout(near, self._namespace, self._timeout, self._hands.tell, self._reports)
        for _ in range(MOST):
            if not self._untold or self._asking:
                break
            self._tell_first()

    def _tell_first(self) -> None:
        """One look at a time, one a second; a Pod that is gone by now has nothing to show."""
        mover = self._untold.popleft()
        if mover.pod.uid in self._movers:
            self._asking = True
            self._hands.spawn(self._look_and_tell(mover))
        else:
            self._tell(mover, None)

    async def _look_and_tell(self, mover: Mover) -> None:
        try:
            found = await self._hands.read_pod(mover.pod)
        except ApiError:
            found = None
        finally:
            self._asking = False
        self._tell(mover, found)

    def _tell(self, mover: Mover, found: dict[str, Any] | None) -> None:
        spec = (found or {}).get("spec") or {}
        node, pod = str(spec.get("nodeName") or ""), mover.pod
        windows = is_for_windows(spec)
        self._reports.ungoverned(mover, node, windows=windows)
        about = ObjectRef("Pod", pod.name, pod.namespace, pod.uid)
        self._hands.tell(about, UNGOVERNED, sentence(mover, node, windows=windows))


def sentence(mover: Mover, node: str, *, windows: bool) -> str:
    """That the mover is ungoverned, in words; `node` is "" where it is not known."""
    where = f"node {node}" if node else "its node"
    why = (
        "Windows movers are not governed"
        if windows
        else "no injection was in force when it was made; slot-coordinator velero check looks for"
        " the reason"
    )
    return (
        f"the mover of {mover.kind.value} {mover.pod.name} takes no slot, so {where} may run more"
        f" loads than its limit: {why}"
    )

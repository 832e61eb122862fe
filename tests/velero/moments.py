"""When things happened that no phase tells: a mover's data moves, a slot is granted.

A mover writes Events when its data path has started and when it has ended: under Velero's own
limiter and under slots alike, that is when it really works.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.kubelet.slots import is_held_slot
from tests.velero.measure import Job
from tests.velero.relay import ApiServer
from tests.velero.services import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.realserver.server import RealApiServer

    Objects = Mapping[str, Any]

STARTED = "Data-Path-Started"
ENDED = ("Data-Path-Completed", "Data-Path-Failed", "Data-Path-Canceled")
"""Reasons of Events; `EventReasonStarted` and others in Velero's pkg/datapath."""


@dataclass
class Moments:
    """What was heard of so far. Seconds since 1970."""

    grants: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    """Of each Lease: who got its slot, by the Pod's name, and when, in this order."""
    _told: dict[tuple[str, str], float] = field(default_factory=dict)

    def work(self, waited: Job) -> Job:
        """The same mover: from when it came, through its data's first move, to the last."""
        ends = [self._told[key] for reason in ENDED if (key := (waited.name, reason)) in self._told]
        started = self._told.get((waited.name, STARTED))
        return Job(waited.name, waited.arrived, started, min(ends, default=None))

    def hear_events(self, events: Objects, now: float) -> None:
        """All Events of the namespace, as they are now."""
        for one in events.values():
            self._told.setdefault((one["involvedObject"]["name"], one["reason"]), now)

    def hear_leases(self, leases: Objects, now: float) -> None:
        """All its Leases."""
        for one in filter(is_held_slot, leases.values()):
            holders = self.grants.setdefault(one["metadata"]["name"], [])
            holder = one["spec"]["holderIdentity"].partition("/")[0]
            if not holders or holders[-1][0] != holder:
                holders.append((holder, now))


class Listener:
    """Watches one namespace from entering to leaving; `moments` is what it hears."""

    def __init__(self, server: RealApiServer, namespace: str) -> None:
        self.moments = Moments()
        self._server = ApiServer(plan(server))
        self._heard = {
            f"/api/v1/namespaces/{namespace}/events": self.moments.hear_events,
            f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases": self.moments.hear_leases,
        }
        self._over = threading.Event()

    def __enter__(self) -> Self:
        for path in self._heard:
            threading.Thread(target=self._listen, args=(path,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _listen(self, path: str) -> None:
        hear = self._heard[path]
        self._server.follow(path, lambda objects: hear(objects, time.time()), self._over)

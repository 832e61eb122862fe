"""When each of Velero's objects got which phase, as a watch hears of it.

Velero's own times have whole seconds, and its own limiter lets movers run that wait: for both it is
the phase InProgress that says when data moves.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tests.velero.measure import Job
from tests.velero.relay import ApiServer
from tests.velero.services import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.realserver.server import RealApiServer

KINDS = ("podvolumebackups", "podvolumerestores")
MOVES = "InProgress"
ENDED = ("Completed", "Failed", "Canceled")


@dataclass
class Course:
    """One object's phases; "" is its creation. Seconds since 1970."""

    name: str
    labels: Mapping[str, str]
    since: dict[str, float] = field(default_factory=dict)
    """When each phase was heard of first."""

    @property
    def job(self) -> Job:
        ends = [at for phase, at in self.since.items() if phase in ENDED]
        arrived = min(self.since.values())
        return Job(self.name, arrived, self.since.get(MOVES), min(ends, default=None))


class Phases:
    """Listens from entering to leaving, to what is in one namespace."""

    def __init__(self, server: RealApiServer, namespace: str) -> None:
        self._server = ApiServer(plan(server))
        self._path = f"/apis/velero.io/v1/namespaces/{namespace}"
        self._courses: dict[str, Course] = {}
        self._over = threading.Event()

    def __enter__(self) -> Self:
        for kind in KINDS:
            words = (f"{self._path}/{kind}", self._hear, self._over)
            threading.Thread(target=self._server.follow, args=words, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def courses(self, owner: str) -> list[Course]:
        """Those of a backup or restore, in the order in which they came."""
        found = list(self._courses.values())
        return [course for course in found if owner in course.labels.values()]

    def jobs(self, owner: str) -> list[Job]:
        """The same: from their creation, through InProgress, to their end."""
        return [course.job for course in self.courses(owner)]

    def _hear(self, objects: Mapping[str, Any]) -> None:
        now = time.time()
        for uid, one in objects.items():
            head = one["metadata"]
            new = Course(head["name"], head.get("labels", {}))
            phase = one.get("status", {}).get("phase", "")
            self._courses.setdefault(uid, new).since.setdefault(phase, now)

"""P12: requests to an API server that answers nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.judge.base import Judge
from tests.simulation.judge.writes import of_election

if TYPE_CHECKING:
    from tests.simulation.api import Sent
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.watcher import Watcher

LONG = 20.0
"""Seconds: of shorter outages only what is hot is told, they say nothing about an average."""
FIRST = 5.0
"""Seconds in which what was under way comes to its end; counted from then on."""
BURST = 3
"""Requests beyond one a second."""
HOT = 60
"""The same for a short outage: what many had under way is counted there as well."""


class TrafficJudge(Judge):
    """Counts each stream of each process during an outage."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._began: float | None = None
        self._counts: dict[tuple[str, str], int] = {}

    def begin(self) -> None:
        self._began, self._counts = self.watcher.now(), {}

    def sent(self, sent: Sent, known: Knowledge) -> None:
        if self._began is not None and self.watcher.now() > self._began + FIRST:
            key = (sent.process.name, stream_of(sent))
            self._counts[key] = self._counts.get(key, 0) + 1

    def end(self) -> None:
        if self._began is None:
            return
        lasted, self._began = self.watcher.now() - self._began, None
        for (process, stream), count in self._counts.items():
            if count > lasted - FIRST + (BURST if lasted >= LONG else HOT):
                text = f"{process} sent {count} requests ({stream}) in {lasted - FIRST:.1f} s"
                self.blame("P12", f"{text} of an outage")


def stream_of(sent: Sent) -> str:
    """Lists and watches of one resource are one stream, so are writes, and looks at Pods."""
    if sent.call.verb in {"list", "watch"}:
        return f"watching {sent.call.resource} {sent.params.get('fieldSelector', '')}".rstrip()
    if of_election(sent):
        return "the election"
    return "writes" if sent.call.resource.startswith("leases") else sent.call.resource

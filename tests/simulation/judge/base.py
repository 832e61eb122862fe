"""What a judge hears of; each overrides what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core import messages as m
    from coordinator.kube.errors import ApiError
    from tests.simulation.api import Sent
    from tests.simulation.judge.facts import Commit
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.loads import Sitting
    from tests.simulation.loop import Process
    from tests.simulation.net import Visit
    from tests.simulation.watcher import Watcher

Json = dict[str, Any]


class Judge:
    """One or a few promises. `blame(promise, text)` reports a violation."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def blame(self, promise: str, text: str) -> None:
        self.watcher.blame(promise, text)

    def sent(self, sent: Sent, known: Knowledge) -> None:
        """A process sends a request to the API server."""

    def answered(self, sent: Sent, known: Knowledge, answer: Json) -> None:
        """A process gets a 2xx answer."""

    def failed(self, sent: Sent, known: Knowledge, error: ApiError) -> None:
        """A process learns that its request failed."""

    def committed(self, commit: Commit) -> None:
        """A slot's Lease changed."""

    def decided(self, node: str, known: Knowledge, writes: Sequence[m.Write]) -> None:
        """A process decided on new writes, each told once."""

    def visited(self, visit: Visit, known: Knowledge) -> None:
        """A leading process begins to answer a sync."""

    def replied(self, visit: Visit, known: Knowledge, answer: Json) -> None:
        """It answers 200."""

    def over(self, visit: Visit, known: Knowledge, *, well: bool) -> None:
        """It is done with a sync, answered or not."""

    def asked(self, agent: str, node: str, body: Json) -> None:
        """An agent sends a sync."""

    def heard(self, sittings: Sequence[Sitting]) -> None:
        """An agent has taken in an answer."""

    def began(self, process: Process, known: Knowledge) -> None:
        """A coordinator's process starts."""

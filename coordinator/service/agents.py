"""What is remembered of agents that sync: boot, newest sequence, and the request that waits.

Names and boots are the callers' to choose, so there is a bound on how many are kept. Who is
forgotten loses nothing but the protection from its own delayed requests.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coordinator.service.errors import StaleSync

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.service.asked import SyncRequest
    from coordinator.service.desk import Waiter

MEMORY = 600.0
"""Seconds that an agent is remembered after its last sync."""
MOST_AGENTS = 20_000
"""Of one pool, beside those whose sync is being answered."""
MOST_BOOTS = 32
"""Of one agent: earlier boots whose late requests are told from new ones."""


Key = tuple[str, str, str]
"""An agent: its node, its owner, and its name, which is of the agent's own choice."""


@dataclass(eq=False, slots=True)
class AgentRecord:
    """One agent on one node."""

    key: Key
    boot: str
    sequence: int
    seen: float
    retired: dict[str, None] = field(default_factory=dict)
    told: str = ""
    """The boot under which the table was told of its last restart."""
    waiter: Waiter | None = None


class Agents:
    """The agents of one pool."""

    def __init__(self, now: Callable[[], float], most: int = MOST_AGENTS) -> None:
        self._now = now
        self._most = most
        self._active: dict[Key, AgentRecord] = {}
        """Those whose sync is being answered: as many as there are connections, at most."""
        self._idle: OrderedDict[Key, AgentRecord] = OrderedDict()
        """The others, in the order in which they were last answered."""

    def __len__(self) -> int:
        return len(self._active) + len(self._idle)

    def get(self, node: str, owner: str, name: str) -> AgentRecord | None:
        """What is remembered of the agent."""
        key = node, owner, name
        return self._active.get(key) or self._idle.get(key)

    def take_turn(self, node: str, request: SyncRequest, waiter: Waiter) -> AgentRecord:
        """The newest sync of an agent counts, and ends the one that waits.

        Raises `StaleSync` for an older one, which changes nothing.
        """
        speaker = request.speaker
        key = node, speaker.owner, speaker.agent
        record = self.get(*key) or AgentRecord(key, speaker.boot, request.sequence - 1, self._now())
        _advance(record, request)
        self._idle.pop(key, None)
        self._active[key] = record
        if record.waiter is not None:
            record.waiter.dismiss()
        record.waiter = waiter
        return record

    def end_turn(self, record: AgentRecord, waiter: Waiter) -> None:
        """The sync was answered, or its caller went away."""
        record.seen = self._now()
        if record.waiter is waiter:
            record.waiter = None
            self._idle[record.key] = self._active.pop(record.key)
            self.forget()

    def forget(self) -> None:
        """Let go of those who were not heard of for long, and of the first of too many."""
        old = self._now() - MEMORY
        while self._idle:
            first = next(iter(self._idle.values()))
            if len(self._idle) <= self._most and first.seen >= old:
                return
            self._idle.popitem(last=False)


def _advance(record: AgentRecord, request: SyncRequest) -> None:
    agent, boot = request.speaker.agent, request.speaker.boot
    if boot in record.retired:
        raise StaleSync(f"agent {agent} has been restarted since")
    if boot != record.boot:
        record.retired[record.boot] = None
        while len(record.retired) > MOST_BOOTS:
            del record.retired[next(iter(record.retired))]
        record.boot, record.sequence = boot, request.sequence - 1
    if request.sequence <= record.sequence:
        raise StaleSync(f"agent {agent} has already sent sync {record.sequence}")
    record.sequence = request.sequence

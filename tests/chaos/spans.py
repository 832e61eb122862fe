"""From when to when each load was entitled to its slot, by the lines that the loads wrote.

A load counts while its session says held:

- A library agent writes down how long that is. So a load that was killed, or whose process is
  stopped, counts up to there: not before its TTL may another have the slot.
- `slot-agent run --strict` ends its command when the session ends, so the command's own last line
  is the end. A *stopped* wrapper ends nobody. Its session was held when it was stopped, and how
  long its last renewal reached beyond that only the session knew (between nothing and TTL - 1 s).
  The command counts up to the stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.e2e.journal import Entry

FOREVER = float("inf")


@dataclass(frozen=True, order=True)
class Grant:
    """What makes a grant one of its own: the same claim can be granted again, with a new token."""

    lease: str
    token: int
    claim: str


@dataclass
class Span:
    """One load on its slot. Times are the machine's monotonic time, in seconds."""

    grant: Grant
    node: str
    load: str
    began: float
    ended: float = field(default=FOREVER)
    held_until: float = field(default=FOREVER)

    @property
    def until(self) -> float:
        """The end, if only because the session did not reach any further."""
        return min(self.ended, self.held_until)

    @property
    def counts(self) -> bool:
        """False for a load that began when its process had been stopped for too long."""
        return self.began < self.until


def spans_of(entries: Iterable[Entry], stops: Mapping[str, float]) -> list[Span]:
    """The spans in the order of their beginnings; `stops` tells by load of a wrapper's first stop.

    A killed load that a new process began again under the same grant is one span.
    """
    found: dict[Grant, Span] = {}
    for entry in entries:
        if entry.event == "failed":
            continue
        slot = entry.slot
        grant = Grant(slot["SLOT_LEASE"], int(slot["SLOT_FENCING_TOKEN"]), slot["SLOT_CLAIM"])
        span = found.setdefault(grant, Span(grant, slot["SLOT_NODE"], entry.load, entry.at))
        span.held_until = min(
            float(slot.get("SLOT_HELD_UNTIL", FOREVER)), stops.get(entry.load, FOREVER)
        )
        span.ended = entry.at if entry.event in {"end", "terminated"} else FOREVER
    return list(found.values())

"""P8 and P9: who is there is served, in the order of arrival."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from tests.simulation.judge.base import Judge
from tests.simulation.judge.writes import grant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.api import Sent
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.net import Visit

PRESENCE = 15.0
"""Seconds (promise P8)."""
SETTLING = 0.99
"""Seconds that a new leader gathers tickets for, and some tolerance (promise P9)."""
SURELY = 14.0
"""Seconds within which a claim that was answered certainly counts as present."""


@dataclass(slots=True)
class Attendance:
    """One claim at one process: its open requests, and when the last one ended."""

    node: str
    priority: int
    first: float
    open: int = 0
    ended: float = -inf
    queued: float = -inf
    """When it was last told its place, and nothing else since."""
    ticket: tuple[int, ...] = ()


class OrderJudge(Judge):
    """Presence and order at the decision of each grant, presence again at its sending."""

    def visited(self, visit: Visit, known: Knowledge) -> None:
        now = self.watcher.now()
        for told in visit.body["claims"]:
            new = Attendance(visit.node, told["priority"], now)
            row = known.attendance.setdefault(told["claim"], new)
            row.open += 1
            if "ticket" in told and not row.ticket:
                row.ticket = _ticket(told)

    def over(self, visit: Visit, known: Knowledge, *, well: bool) -> None:
        for told in visit.body["claims"]:
            if (row := known.attendance.get(told["claim"])) is not None:
                row.open = max(0, row.open - 1)
                row.ended = self.watcher.now()

    def replied(self, visit: Visit, known: Knowledge, answer: Any) -> None:
        shown = {c["claim"]: _ticket(c) for c in visit.body["claims"] if "ticket" in c}
        for told in answer["claims"]:
            row = known.attendance.get(told["claim"])
            if row is None:
                continue
            if told["state"] == "queued":
                row.queued = self.watcher.now()
                row.ticket = _ticket(told)
                brought = shown.get(told["claim"])
                first = brought == known.tickets.get(told["claim"])
                if brought and first and row.ticket > brought and not self.watcher.restores:
                    self.blame("P9", f"{told['claim']} brought {brought}, got {row.ticket}")
            else:
                row.queued = -inf

    def sent(self, sent: Sent, known: Knowledge) -> None:
        grant = grant_of(sent)
        if grant is not None and grant.key not in known.present:
            known.present[grant.key] = None
            row = known.attendance.get(grant.claim)
            if row is not None:  # else it left meanwhile; its grant is given back at once
                self._present(grant.claim, row)

    def decided(self, node: str, known: Knowledge, writes: Sequence[m.Write]) -> None:
        given = [write.claim for write in writes if isinstance(write, m.Grant | m.HandOver)]
        for claim in given:
            row = known.attendance.get(claim)
            if row is not None and claim not in known.ordered:
                known.ordered[claim] = None
                known.granted_here[claim] = None
                self._judge(claim, row, known, given)
            self._present(claim, row)
            self._settled(claim, known)

    def _settled(self, claim: str, known: Knowledge) -> None:
        since = self.watcher.now() - known.pictured
        if since < SETTLING:
            text = f"a grant for {claim} {since:.3f} s after the takeover, before tickets came"
            self.blame("P9", text)

    def _present(self, claim: str, row: Attendance | None) -> None:
        if row is None:
            self.blame("P8", f"a grant for {claim}, which never asked this process or has left")
        elif not row.open and self.watcher.now() - row.ended > PRESENCE:
            ago = self.watcher.now() - row.ended
            self.blame("P8", f"a grant for {claim}, whose last poll ended {ago:.3f} s ago")

    def _judge(self, claim: str, row: Attendance, known: Knowledge, given: list[str]) -> None:
        named = {one.claim for one in known.leases.values()}
        for other, waits in known.attendance.items():
            if other in named or other in known.ordered or other in given:
                continue
            if waits.node != row.node or not self._waits(waits):
                continue
            if waits.priority > row.priority:
                self.blame("P9", f"{claim} passes {other}, whose priority is higher")
            elif waits.priority == row.priority and self._before(waits, row):
                self.blame("P9", f"{claim} {row.ticket} passes {other} {waits.ticket}")

    def _waits(self, row: Attendance) -> bool:
        """Whether it was told its place a moment ago: then nothing is in its way."""
        return self.watcher.now() - row.queued <= SURELY

    def _before(self, waits: Attendance, row: Attendance) -> bool:
        """Whether its ticket is older. Who was never told one came with its first request; a
        restore of etcd makes tickets of before and after incomparable.
        """
        if self.watcher.restores:
            return False
        return waits.ticket < row.ticket if row.ticket else waits.queued < row.first


def _ticket(told: Any) -> tuple[int, ...]:
    return tuple(map(int, told["ticket"].split(".")))

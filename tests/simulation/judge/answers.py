"""P7, P10 and P13: what may be answered, by whom, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.judge.base import Judge

if TYPE_CHECKING:
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.net import Visit
    from tests.simulation.watcher import Watcher

SLACK = 2.5
"""Seconds that an answer may take beyond the wait that was asked for (2 s, and some)."""
MEMORY = 119.0
"""Seconds that a released id is remembered by the process that released it."""


class AnswersJudge(Judge):
    """Every answer of a leading process."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._term: int | None = 0

    def replied(self, visit: Visit, known: Knowledge, answer: Any) -> None:
        now = self.watcher.now()
        if now >= known.deadline:
            late = now - known.deadline
            self.blame("P10", f"{known.process.name} answers {late:.3f} s past its deadline")
        if now < known.pictured:
            self.blame("P10", f"{known.process.name} answers before it has listed the Leases")
        for claim in answer["released"]:
            self._released(claim, visit, known)
        for told in answer["claims"]:
            self._told(told, known)
        self._terms(answer["term"], known)

    def _terms(self, term: int, known: Knowledge) -> None:
        if self._term is None:
            return
        if known.deadline > self.watcher.now() and self.watcher.leads(known) and term < self._term:
            self.blame("P10", f"{known.process.name} answers with term {term} after {self._term}")
        self._term = max(self._term, term)

    def restored(self) -> None:
        """Terms are versions: nothing is promised of them across a restore of etcd."""
        self._term = None

    def _released(self, claim: str, visit: Visit, known: Knowledge) -> None:
        if claim in known.released:
            return
        known.released[claim] = self.watcher.now()
        if not self.watcher.truth.unnamed_within(claim, known.reign):
            self.blame("P7", f"{claim} is told released, and a Lease has named it all the time")
        seen = {one.claim for one in known.leases.values()}
        if claim in seen and not self.watcher.truth.unnamed_within(claim, visit.began):
            self.blame("P7", f"{claim} is told released while a Lease names it")

    def _told(self, told: Any, known: Knowledge) -> None:
        """A released id does not come back: its delayed requests are answered 410."""
        at = known.released.get(told["claim"])
        again = told["state"] in {"granted", "queued"}
        if at is not None and again and self.watcher.now() - at < MEMORY and at > known.reign:
            self.blame("P7", f"{told['claim']} was released and is {told['state']} again")

    def over(self, visit: Visit, known: Knowledge, *, well: bool) -> None:
        paused = known.process.paused_for() - visit.paused
        took = self.watcher.now() - visit.began - paused
        if took > visit.body["waitSeconds"] + SLACK:
            self.blame("P13", f"{known.process.name} took {took:.3f} s for a sync")

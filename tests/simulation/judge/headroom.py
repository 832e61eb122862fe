"""Slots kept for urgent claims: the others have no more than the rest as a grant is decided, sent.

Who is urgent is read from what agents ask with; a slot of which nothing is known counts as taken
by somebody who is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import messages as m
from tests.simulation.judge.base import Judge
from tests.simulation.judge.writes import grant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.api import Sent
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.net import Visit
    from tests.simulation.watcher import Watcher

URGENT = 1
"""The priority from which on a claim is urgent."""


class HeadroomJudge(Judge):
    """After `LimitsJudge`, which notes what is in flight."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._urgent: dict[str, None] = {}
        self._sent: dict[tuple[str, tuple[str, int, str]], None] = {}

    def visited(self, visit: Visit, known: Knowledge) -> None:
        for told in visit.body["claims"]:
            if told["priority"] >= URGENT:
                self._urgent[told["claim"]] = None

    def decided(self, node: str, known: Knowledge, writes: Sequence[m.Write]) -> None:
        for write in writes:
            if isinstance(write, m.Grant | m.HandOver):
                self._judge("decided", node, write.base.name, write.claim, known)

    def sent(self, sent: Sent, known: Knowledge) -> None:
        grant = grant_of(sent)
        key = (known.process.name, grant.key) if grant else None
        if grant is not None and key is not None and key not in self._sent:
            self._sent[key] = None
            self._judge("sent", grant.node, grant.name, grant.claim, known)

    def _judge(self, when: str, node: str, name: str, claim: str, known: Knowledge) -> None:
        headroom, limit = self.watcher.headroom, known.limit(node)
        if not headroom or claim in self._urgent:
            return
        most = limit - min(headroom, max(limit - 1, 0))
        taken = {one for one in known.taken(node) if self._ordinary(one, known)} | {name}
        if len(taken) > most:
            text = f"{name} for {claim} is {when}, with {sorted(taken)} that are not urgent"
            self.blame("headroom", f"{text}; {most} of {limit} may be")

    def _ordinary(self, name: str, known: Knowledge) -> bool:
        """Whether the slot has, or may yet have, a holder who is not known to be urgent."""
        look, flying = known.leases.get(name), known.in_flight.get(name)
        held = look is not None and look.taken and (look.blocked or look.claim not in self._urgent)
        return held or (flying is not None and flying[2] not in self._urgent)

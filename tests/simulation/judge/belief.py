"""Mutual exclusion, which all of it is for: no two agents believe to hold one slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_client.session import State
from tests.simulation.judge.base import Judge
from tests.simulation.loop import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.loads import Sitting
    from tests.simulation.watcher import Watcher


class BeliefJudge(Judge):
    """Looks whenever an agent has heard something, or a load starts."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self.believers: dict[str, dict[Sitting, None]] = {}
        """Lease to the sittings that held it, as far as they may still."""

    def heard(self, sittings: Sequence[Sitting]) -> None:
        for sitting in sittings:
            if believes(sitting):
                self._believes(sitting)

    def _believes(self, sitting: Sitting) -> None:
        assert sitting.session.grant is not None
        lease = sitting.session.grant.lease
        others = self.believers.setdefault(lease, {})
        for other in [one for one in others if not believes(one)]:
            del others[other]
        others[sitting] = None
        rivals = [one for one in others if one.load is not sitting.load and not self._excused(one)]
        if rivals and not self._excused(sitting):
            names = [f"{one.load.uid} ({one.caller.name})" for one in (sitting, *rivals)]
            self.blame("exclusion", f"{lease} is believed held by {' and '.join(names)}")

    def _excused(self, sitting: Sitting) -> bool:
        """Whether an operator's hand or the end of its Pod took the slot from it."""
        pod = sitting.load.pod
        return sitting.load.uid in self.watcher.truth.by_hand or (
            pod is not None and pod.uid in self.watcher.ended_pods
        )


def believes(sitting: Sitting) -> bool:
    """Whether this agent's session says held, by its own clock, right now."""
    session = sitting.session
    if session.grant is None or sitting.process.mode is Mode.DEAD:
        return False
    return session.state_at(sitting.process.now()) is State.HELD

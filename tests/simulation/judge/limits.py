"""P1 and P11: what stands in the way when a grant is decided, and again when it is sent.

In between it may wait for its turn at a closed gate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core import messages as m
from tests.simulation.judge.base import Judge
from tests.simulation.judge.writes import grant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.kube.errors import ApiError
    from tests.simulation.api import Sent
    from tests.simulation.judge.facts import Commit
    from tests.simulation.judge.knowledge import Knowledge
    from tests.simulation.watcher import Watcher


class LimitsJudge(Judge):
    """Every grant is within the limit that its process last saw."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._limits: dict[tuple[str, str, int], int] = {}
        """(Lease, claim, token) to the limit under which it was decided."""

    def decided(self, node: str, known: Knowledge, writes: Sequence[m.Write]) -> None:
        for write in writes:
            self._settled_first(write, known)
            if isinstance(write, m.Grant | m.HandOver):
                known.sendings[write.base.name, write.base.version, write.claim] = 0
                self._judge(node, write, known)

    def _settled_first(self, write: m.Write, known: Knowledge) -> None:
        """A grant whose end is unknown is repeated, until then nothing else is done about it."""
        for name, earlier in known.in_flight.items():
            if isinstance(write, m.Make):
                continue
            what = f"{type(write).__name__} of {write.base.name}, {earlier} is under way"
            same = isinstance(write, m.Grant | m.HandOver) and write.claim == earlier[2]
            if known.sendings.get(earlier, 0) and write.base.name == name:
                self.blame("P2", what)
            elif same and write.base.name != name:
                self.blame("P6", what)

    def told_limit(self, node: str, limit: int, known: Knowledge) -> None:
        if limit != known.limit(node):
            self.blame("P11", f"{node} gets the limit {limit}, told was {known.limit(node)}")

    def _judge(self, node: str, grant: m.Grant | m.HandOver, known: Knowledge) -> None:
        name, version = grant.base.name, grant.base.version
        taken = known.taken(node) | {name}
        known.in_flight[name] = (name, version, grant.claim)
        self._limits[name, grant.claim, version] = known.limit(node)
        what = f"{name} v{version} for {grant.claim}, decided"
        self._within(what, node, grant.ordinal, taken, known)

    def _within(
        self, what: str, node: str, ordinal: int, taken: set[str], known: Knowledge
    ) -> None:
        limit, told = known.limit(node), known.nodes.get(node)
        if ordinal >= limit:
            self.blame("P1", f"{what} at a limit of {limit}")
        elif len(taken) > limit:
            self.blame("P1", f"{what} with {sorted(taken)} taken at a limit of {limit}")
        if told is not None and told.hold:
            self.blame("hold", f"{what} while the node is on hold: {told.hold}")

    def sent(self, sent: Sent, known: Knowledge) -> None:
        grant = grant_of(sent)
        if grant is not None and grant.key not in known.sent:
            known.sent[grant.key] = None
            taken = known.taken(grant.node) | {grant.name}
            self._within(f"{grant}, sent", grant.node, grant.ordinal, taken, known)

    def answered(self, sent: Sent, known: Knowledge, answer: Any) -> None:
        if (grant := grant_of(sent)) is not None:
            known.in_flight.pop(grant.name, None)

    def failed(self, sent: Sent, known: Knowledge, error: ApiError) -> None:
        grant = grant_of(sent)
        if grant is None or grant.key not in known.sendings:
            return
        if _doubtful(error):
            known.sendings[grant.key] += 1
        elif type(error).__name__ == "Conflict" or not known.sendings[grant.key]:
            known.in_flight.pop(grant.name, None)

    def committed(self, commit: Commit) -> None:
        if not commit.grants or commit.after is None or commit.sent is None:
            return
        holders = self.watcher.truth.holders(commit.after.node)
        highest = max(self._limits.get((h.name, h.claim, h.token), 0) for h in holders)
        if len(holders) > highest:
            names = [f"{h.name}={h.claim}" for h in holders]
            self.blame("P1", f"{names} hold, and no limit was ever above {highest}")


def _doubtful(error: ApiError) -> bool:
    """Whether the write may have taken effect, whatever the process makes of its answer."""
    name = type(error).__name__
    silent = not error.status and name != "NotSent"
    return silent or error.status >= 500 or name == "UnknownOutcome"

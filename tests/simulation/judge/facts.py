"""What truly stands: every Lease of a slot, and its whole history, from the store's commits."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.embedded.history import Event
    from tests.simulation.api import Sent

Json = dict[str, Any]

PREFIX = "nodeslots.io/"


@dataclass(frozen=True, slots=True)
class Look:
    """A Lease of a slot as anybody can read it. `claim` is "" while nobody holds it."""

    name: str
    node: str
    ordinal: int
    uid: str
    version: int
    claim: str
    token: int
    blocked: bool
    """Taken by somebody else, unreadable, or on its way out."""

    @property
    def taken(self) -> bool:
        return bool(self.claim) or self.blocked


def look(obj: Mapping[str, Any]) -> Look | None:
    """The Lease's look; None for a Lease without a slot's name."""
    head, spec = obj["metadata"], obj.get("spec") or {}
    node, found, ordinal = head["name"].rpartition("-slot-")
    if not found:
        return None
    notes, labels = head.get("annotations") or {}, head.get("labels") or {}
    ours = labels.get("app.kubernetes.io/managed-by") == "node-slots" or PREFIX + "node" in notes
    held = bool(spec.get("holderIdentity"))
    claim = notes.get(PREFIX + "claim", "") if held and ours else ""
    return Look(
        head["name"],
        node,
        int(ordinal),
        head.get("uid", ""),
        int(head.get("resourceVersion", 0)),
        claim,
        int(notes.get(PREFIX + "fencing-token", 0)) if claim else 0,
        blocked=not ours or bool(head.get("deletionTimestamp")) or (held and not claim),
    )


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of one slot's Lease. `after` is None for a deletion, `sent` for an operator."""

    at: float
    before: Look | None
    after: Look | None
    sent: Sent | None

    @property
    def grants(self) -> bool:
        """Whether somebody else holds it, or under another grant, than before."""
        if self.after is None or not self.after.claim:
            return False
        before = self.before
        return before is None or (before.claim, before.token) != (
            self.after.claim,
            self.after.token,
        )

    @property
    def takes(self) -> bool:
        """Whether whoever held it holds it no more."""
        if self.before is None or not self.before.claim:
            return False
        after = self.after
        return after is None or (after.claim, after.token) != (self.before.claim, self.before.token)


@dataclass(slots=True)
class Truth:
    """The Leases now, all their states by version, and how many Leases name each claim when."""

    leases: dict[str, Look] = field(default_factory=dict)
    states: dict[tuple[str, int], Look] = field(default_factory=dict)
    granted: dict[tuple[str, str, int], float] = field(default_factory=dict)
    """(Lease, claim, token) to the time of its commit."""
    counts: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    """Per claim the times at which so many Leases named it."""
    by_hand: dict[str, float] = field(default_factory=dict)
    """Claims whose slot an operator took, and when last."""

    def take(self, event: Event, sent: Sent | None, at: float) -> Commit | None:
        """Take a commit in; None when it is about no slot."""
        seen = look(event.entry.view)
        if seen is None:
            return None
        before = self.leases.get(seen.name)
        after = None if event.type == "DELETED" else seen
        commit = Commit(at, before, after, sent)
        if after is None:
            self.leases.pop(seen.name, None)
        else:
            self.leases[seen.name] = self.states[seen.name, after.version] = after
        self._count(commit)
        if sent is None and commit.takes and before is not None:
            self.by_hand[before.claim] = at
        return commit

    def _count(self, commit: Commit) -> None:
        before = commit.before.claim if commit.before else ""
        after = commit.after.claim if commit.after else ""
        if commit.grants and commit.after is not None:
            self.granted.setdefault((commit.after.name, after, commit.after.token), commit.at)
        if before != after:
            for claim, change in ((before, -1), (after, 1)):
                if claim:
                    history = self.counts.setdefault(claim, [(0.0, 0)])
                    history.append((commit.at, history[-1][1] + change))

    def named(self, claim: str) -> int:
        """How many Leases name the claim now."""
        return self.counts[claim][-1][1] if claim in self.counts else 0

    def unnamed_within(self, claim: str, since: float) -> bool:
        """Whether at some moment from `since` on no Lease named the claim."""
        history = self.counts.get(claim, [(0.0, 0)])
        if history[-1][1] == 0:
            return True
        return any(count == 0 and until >= since for (_, count), (until, _) in pairwise(history))

    def holders(self, node: str) -> list[Look]:
        """Who holds slots of the node now."""
        return [one for one in self.leases.values() if one.node == node and one.claim]

"""What belongs to one coordinator and to one agent of a `World`, and what each was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coordinator.core.claims import Policy
from tests.core.kept import URGENT
from tests.core.promises import AGING

if TYPE_CHECKING:
    from coordinator.core import messages as m
    from coordinator.core.model import Lease, PodRef
    from coordinator.core.slots import NodeTable


@dataclass
class Attempt:
    """One copy of a write on its way to the server; the table may wait for its answer."""

    op: m.Operation
    awaited: bool = True
    answer: m.Outcome | None = None
    """What the server answered, while the answer is on its way back."""


@dataclass
class Site:
    """One coordinator's table, its requests on the wire, and its watch."""

    number: int
    table: NodeTable
    born: float
    cursor: int = 0
    oldest: int = 0
    """Where its last list stood: nothing older is ever told again."""
    wire: list[Attempt] = field(default_factory=list)
    listing: tuple[float, dict[int, Lease] | None, int] | None = None
    wants_list: bool = False
    examines: list[m.Examine] = field(default_factory=list)
    polls: dict[str, list[int]] = field(default_factory=dict)
    heard: dict[str, float] = field(default_factory=dict)
    """By claim, when it last asked or a poll of it ended."""
    asked: dict[str, float] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    left_at: dict[str, float] = field(default_factory=dict)
    finished: dict[str, object] = field(default_factory=dict)
    """By claim, its record whose Pod was seen finished."""
    barred: dict[str, tuple[PodRef, float]] = field(default_factory=dict)
    """By claim, the Pod for which its slot was taken back as finished, and since when."""
    found: dict[str, tuple[object, PodRef]] = field(default_factory=dict)
    """By claim, its record and the Pod of it that a look found."""
    looks: dict[str, tuple[object, m.Examine]] = field(default_factory=dict)
    """By claim, its record and the last look that was asked for."""
    deserted: set[str] = field(default_factory=set)
    """Claims whose agent was restarted since they last asked."""
    first_sent: dict[int, m.Operation] = field(default_factory=dict)
    presented: dict[str, int] = field(default_factory=dict)
    """By claim, the token that its latest request carried; absent if it carried none."""
    answered: dict[str, tuple[object, int]] = field(default_factory=dict)

    def knows(self, claim: str, now: float) -> bool:
        """Whether the table knows the claim, or how it ended."""
        roll, named = self.table.roll, self.table.picture.named
        return claim in roll.claims or claim in named or roll.recall(claim, now) is not None

    @property
    def state(self) -> str:
        """Everything that the table remembers."""
        picture, roll = self.table.picture, self.table.roll
        queue = [claim.id for claim in roll.queue]
        known = f"{picture.slots} {picture.named} {picture.granting}"
        return f"{known} {roll.claims} {roll.ended} {queue}"


@dataclass
class Agent:
    """What one claim's agent knows."""

    token: int | None = None
    ticket: tuple[int, int] | None = None
    boot: int = 0


def rules(headroom: int) -> Policy:
    """What each coordinator of a `World` goes by."""
    return Policy(unresponsive_timeout=100.0, aging=AGING, headroom=headroom, urgent_from=URGENT)

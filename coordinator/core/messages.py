"""What goes into a node's table (events) and what comes out of it (commands).

Every write command carries an `op`, a number that is unique in its table. The shell performs the
command and feeds exactly one outcome back under that number: `Written`, `Conflict`, `Unknown` or
`Failed`; for a `ReadBack` it is `Read`, `Unknown` or `Failed`. A grant whose first sending had to
wait is sent only if `grants.stands_by` it; else its outcome is `Withdrawn`. After `Unknown` the
table sends the *same* command again, and the shell repeats the same bytes (promise P2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from coordinator.core.model import Cause, Lease, PodRef, Speaker, Terms, Verdict
    from coordinator.core.refusals import Refusal


# --- events ---------------------------------------------------------------------------------


class Ask(NamedTuple):
    """A claim's request begins: it enters the queue, keeps its place there, or renews.

    A tuple, for fifty thousand renewals a minute are as many of them.
    """

    claim: str
    terms: Terms
    ticket: tuple[int, int] | None = None
    token: int | None = None
    """The fencing token that the caller believes to hold."""
    poll: int = 0
    """Which request this is, so that its end is not taken for the end of another one."""
    speaker: Speaker | None = None
    """Which agent speaks for the claim, where one does."""
    ending: bool = False
    """Whether the agent is going and the load may be over: a reason to look, and no more."""


@dataclass(frozen=True, slots=True)
class Asks:
    """All claims that one request asks for: each is judged by itself and may be `Refused`; what to
    do is decided once, when all of them are known.
    """

    asks: Sequence[Ask]


@dataclass(frozen=True, slots=True)
class PollEnded:
    """The answer to the `Ask` of that number was sent, or its caller went away."""

    claims: Collection[str]
    """Those that it asked for."""
    poll: int = 0


@dataclass(frozen=True, slots=True)
class Restarted:
    """An agent speaks for the first time under this boot; the claims that it names asked before."""

    speaker: Speaker


@dataclass(frozen=True, slots=True)
class Leave:
    """The holder releases, or a waiting claim leaves the queue."""

    claim: str
    owner: str = ""
    """Who says so; "" may end anybody's."""


@dataclass(frozen=True, slots=True)
class SetLimit:
    """The node's limit in this pool; 0 with a `reason` when the node is gone."""

    limit: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetHold:
    """The node's hold annotation; "" lifts it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What other pools have of the node is less, or their queues are others: decide again."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Written:
    """The write stands; `lease` is what the answer showed, None once a Lease is removed."""

    op: int
    lease: Lease | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """409: the precondition does not hold, neither now nor ever again."""

    op: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Timed out, connection lost, 5xx: it may have taken effect, or may yet."""

    op: int


@dataclass(frozen=True, slots=True)
class Failed:
    """This attempt had no effect (never sent, 429, another 4xx)."""

    op: int
    why: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A grant was never sent: when its turn came, the table would not have decided it any more."""

    op: int


@dataclass(frozen=True, slots=True)
class Read:
    """What a consistent GET showed; None for 404."""

    op: int
    lease: Lease | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A watch event: the Lease of a slot was made or changed."""

    ordinal: int
    lease: Lease


@dataclass(frozen=True, slots=True)
class Gone:
    """A watch event: the Lease was deleted, at that resourceVersion."""

    ordinal: int
    version: int


@dataclass(frozen=True, slots=True)
class Relisted:
    """A consistent list's Leases of this node; its first page was sent at `started`."""

    leases: Mapping[int, Lease]
    started: float


@dataclass(frozen=True, slots=True)
class Courtesy:
    """`renewTime` of this held claim may be written now, if nothing else is to be."""

    claim: str


@dataclass(frozen=True, slots=True)
class PodChanged:
    """The watch of Pods told of the claim's Pod. It proves nothing, but is worth a look."""

    claim: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the look that an `Examine` asked for showed."""

    claim: str
    verdict: Verdict
    pod: PodRef
    """Which Pod was looked at; one that is no longer the claim's says nothing about it."""
    found: bool
    """Whether the GET showed this very Pod, in whatever state."""


# --- commands -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Make:
    """Create the slot's Lease, empty."""

    op: int
    ordinal: int
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Write the claim into a free slot: PUT with the base's uid and resourceVersion."""

    op: int
    ordinal: int
    base: Lease
    claim: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class HandOver:
    """Write the next claim over the releasing one, in the same kind of PUT."""

    op: int
    ordinal: int
    base: Lease
    claim: str
    terms: Terms
    since: float
    """When the releasing claim let go."""


@dataclass(frozen=True, slots=True)
class Free:
    """Empty the slot's Lease."""

    op: int
    ordinal: int
    base: Lease


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a free slot's Lease, with both preconditions."""

    op: int
    ordinal: int
    base: Lease


@dataclass(frozen=True, slots=True)
class Refresh:
    """Write `renewTime` (and an adopted Pod) for those who read Leases."""

    op: int
    ordinal: int
    base: Lease
    claim: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A consistent GET of the slot's Lease."""

    op: int
    ordinal: int
    name: str


@dataclass(frozen=True, slots=True)
class Relist:
    """A consistent list of the pool's Leases is needed to settle a doubt."""


@dataclass(frozen=True, slots=True)
class Examine:
    """GET the claim's Pod at the time `at`, not sooner, and say what it shows."""

    claim: str
    pod: PodRef
    at: float
    silent: bool
    """Whether it matters if the Pod's node is Ready; else a Pod that lives is `UNJUDGED`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The claim's state changed: whoever waits for it is to be told."""

    claim: str


@dataclass(frozen=True, slots=True)
class Refused:
    """One of several `Asks` may not be; nothing was changed by it."""

    claim: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """The slot of a dead holder is being taken back, and why."""

    claim: str
    load: str
    cause: Cause
    reason: str
    """The cause as a sentence, for people."""
    lease: Lease
    pod: PodRef | None
    expected: bool = False
    """Whether its agent had said that the load may be over, and nobody needs to be warned."""


Write = Make | Grant | HandOver | Free | Remove | Refresh
Operation = Write | ReadBack
Command = Operation | Relist | Examine | Answer | Refused | Reclaimed
Outcome = Written | Conflict | Unknown | Failed | Withdrawn | Read
Request = Ask | Asks | PollEnded | Restarted | Leave
Sighting = Seen | Gone | Relisted
Notice = SetLimit | SetHold | Turn | Tick | Courtesy | PodChanged | Evidence
Event = Request | Sighting | Outcome | Notice


class IllegalTransition(RuntimeError):
    """An event that cannot happen in this state: a fault of the shell; nothing was changed."""

"""What happened in a pool that people want to hear of: frozen data, told once each.

Metrics, the stream of events, the log and the history of durations are all fed from these, so that
none of them can tell another story.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.core.model import Cause, PodRef


@dataclass(frozen=True, slots=True)
class Party:
    """A claim with its load and its Pod, as a happening names them."""

    claim: str
    load: str
    pod: PodRef | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """A free slot was given; the write stands. `waited`: seconds in this leader's queue."""

    node: str
    lease: str
    slot: int
    to: Party
    token: int
    waited: float


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A releasing holder's slot was given to the next claim; the write stands."""

    node: str
    lease: str
    slot: int
    by: Party
    to: Party
    token: int
    waited: float
    """Seconds that the new holder was in this leader's queue."""
    held: float | None
    """Seconds from the last holder's grant to its release; None where the grant was not seen."""
    seconds: float
    """From the release to the write that stands."""


@dataclass(frozen=True, slots=True)
class Released:
    """A slot is free again; the write stands. `held` as in `HandedOver`."""

    node: str
    lease: str
    slot: int
    by: Party
    held: float | None


@dataclass(frozen=True, slots=True)
class Reclaimed:
    """The slot of a dead holder is being taken back; a release or a hand-over follows."""

    node: str
    lease: str
    slot: int
    by: Party
    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class LimitChanged:
    """A node's limit, or the rule that decides it, is another one."""

    node: str
    before: int
    after: int
    rule: str


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A node was put on hold by an operator (`reason`), or let go ("")."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConfigChanged:
    """The ConfigMap's newest text is in force (`error` is "") or was refused."""

    version: str
    error: str


Happening = Granted | HandedOver | Released | Reclaimed | LimitChanged | HoldChanged | ConfigChanged

"""Why a request for a claim may not be. Whoever raises one has changed nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.core.model import PodRef


class Refusal(Exception):
    """A request that the table refuses; nothing was changed."""


class ClaimReleased(Refusal):
    """The id was released within the last two minutes: a load that starts again takes a new one."""


class PodFinished(Refusal):
    """The claim's Pod was seen finished: a load in another Pod takes a new claim id."""

    def __init__(self, claim: str, pod: PodRef) -> None:
        super().__init__(claim)
        self.pod = pod


class OthersClaim(Refusal):
    """The claim is another owner's: it is neither told of nor ended."""

    def __init__(self, claim: str, owner: str) -> None:
        super().__init__(claim)
        self.owner = owner


class ClaimMismatch(Refusal):
    """The same id was claimed with another load, priority or TTL."""


class QueueFull(Refusal):
    """As many claims wait on this node as may."""

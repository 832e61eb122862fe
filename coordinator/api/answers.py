"""What the coordinator answers about claims: the JSON forms, and how a view becomes one of them.

TypedDicts rather than models: they describe the OpenAPI document all the same, and a sync's answer
of a thousand claims costs no more than its dictionaries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired

from typing_extensions import TypedDict

from coordinator.api.problems import Problem, ProblemJson
from coordinator.core.refusals import (
    ClaimMismatch,
    ClaimReleased,
    OthersClaim,
    PodFinished,
    QueueFull,
    Refusal,
)
from coordinator.core.views import Granted, Held, Lost, Queued, Released, Settling
from coordinator.kube.microtime import elapsed

if TYPE_CHECKING:
    from datetime import datetime

    from coordinator.core.model import PodRef
    from coordinator.core.views import View

QUEUE_FULL_AFTER = 5.0
"""Seconds. A full queue of a thousand moves slowly."""


class HolderJson(TypedDict):
    """Who holds a slot that others wait for. `pod` is namespace/name of the load's Pod;
    `heldSeconds` is since the grant, null when its Lease does not tell.
    """

    claim: str
    load: str
    lease: str
    priority: int
    pod: str | None
    heldSeconds: int | None


class GrantedJson(TypedDict):
    """The claim holds the slot `slot` of its node, under the Lease `lease`."""

    claim: str
    state: Literal["granted"]
    term: int
    slot: int
    lease: str
    fencingToken: int
    ttlSeconds: int


class QueuedJson(TypedDict):
    """The claim waits. `position` counts from 1; send `ticket` back to keep the place."""

    claim: str
    state: Literal["queued"]
    term: int
    position: int
    ticket: str
    reason: str
    holders: list[HolderJson]


class TroubledJson(TypedDict):
    """In a sync: `lost` is definite, `refused` says why, `settling` means ask again."""

    claim: str
    state: Literal["lost", "refused", "settling"]
    problem: ProblemJson


class SyncJson(TypedDict):
    """The answer to a sync: one state per asked claim in the same order, and the ids whose release
    is committed. `notReleased` names those that are another service account's, if any. `retryAfter`
    (seconds) is a hint of an overloaded coordinator.
    """

    term: int
    sequence: int
    claims: list[GrantedJson | QueuedJson | TroubledJson]
    released: list[str]
    notReleased: NotRequired[list[TroubledJson]]
    retryAfter: NotRequired[float]


def pod_name(pod: PodRef | None) -> str | None:
    """The Pod as namespace/name."""
    return str(pod) if pod else None


def pod_uid(pod: PodRef | None) -> str | None:
    """The Pod's uid; None without a Pod, and where none was given."""
    return pod.uid or None if pod else None


def tenths(seconds: float | None) -> float | None:
    """Seconds as they are shown; None stays None."""
    return None if seconds is None else round(seconds, 1)


def holder_json(held: Held, at: datetime) -> HolderJson:
    """The holder as it is shown, at the wall clock's time `at`, to those who wait."""
    seconds = elapsed(held.acquired, at)
    return HolderJson(
        claim=held.claim,
        load=held.load,
        lease=held.lease,
        priority=held.priority,
        pod=pod_name(held.pod),
        heldSeconds=None if seconds is None else int(seconds),
    )


def holders_json(view: Queued, at: datetime) -> list[HolderJson]:
    """Behind whom the claim waits, at the wall clock's time `at`."""
    return [holder_json(held, at) for held in view.holders]


def granted_json(view: Granted, term: int) -> GrantedJson:
    """The grant."""
    return {
        "claim": view.claim,
        "state": "granted",
        "term": term,
        "slot": view.slot,
        "lease": view.lease,
        "fencingToken": view.token,
        "ttlSeconds": view.ttl,
    }


def queued_json(view: Queued, term: int, holders: list[HolderJson]) -> QueuedJson:
    """The place in the queue."""
    return {
        "claim": view.claim,
        "state": "queued",
        "term": term,
        "position": view.position,
        "ticket": f"{view.ticket[0]}.{view.ticket[1]}",
        "reason": view.reason,
        "holders": holders,
    }


def problem_of(view: Settling | Lost | Released, node: str) -> Problem:
    """The problem that says what this state means to a caller who asked for the claim."""
    if isinstance(view, Settling):
        detail = f"claim {view.claim} of {node}: {view.detail}; ask again"
        return Problem("settling", detail, retry_after=1)
    if isinstance(view, Lost):
        detail = f"claim {view.claim} has no slot of {node} any more: {view.detail}; stop its load"
        return Problem("slot-lost", detail)
    return refused(ClaimReleased(view.claim), view.claim, node)


def refused(refusal: Refusal, claim: str, node: str) -> Problem:
    """The problem of a request that the node's table refused."""
    what = f"claim {claim} of {node}"
    if isinstance(refusal, ClaimReleased):
        return Problem(
            "released",
            f"{what} was released a moment ago; a load that starts again takes a new claim id",
        )
    if isinstance(refusal, PodFinished):
        pod = pod_name(refusal.pod)
        detail = f"{what}: its Pod {pod} has finished; a load in another Pod takes a new claim id"
        return Problem("pod-finished", detail)
    if isinstance(refusal, OthersClaim):
        return Problem(
            "forbidden",
            f"{what} is that of another service account than yours; another load takes another"
            " claim id",
        )
    if isinstance(refusal, ClaimMismatch):
        return Problem(
            "claim-mismatch",
            f"{what} exists with another load, priority or TTL; it stays as it is. Another load"
            " takes another claim id",
        )
    if isinstance(refusal, QueueFull):
        detail = f"{what}: as many claims wait as may, on {node} or on all nodes; ask again later"
        return Problem("queue-full", detail, retry_after=QUEUE_FULL_AFTER)
    raise TypeError(f"a refusal without a problem: {refusal!r}")


class Elements:
    """The claims' states in one sync's answer, at the wall clock's time `at`."""

    def __init__(self, node: str, term: int, at: datetime) -> None:
        self._node = node
        self._term = term
        self._at = at
        self._behind: tuple[Held, ...] | None = None
        self._holders: list[HolderJson] = []
        """Those, as they are shown: claims of one node wait behind the same."""

    def of(self, view: View | Refusal, claim: str) -> GrantedJson | QueuedJson | TroubledJson:
        """One claim's state."""
        if isinstance(view, Granted):
            return granted_json(view, self._term)
        if isinstance(view, Queued):
            return queued_json(view, self._term, self._shown(view))
        if isinstance(view, Settling):
            return troubled(claim, "settling", problem_of(view, self._node))
        if isinstance(view, Lost):
            return troubled(claim, "lost", problem_of(view, self._node))
        if isinstance(view, Released):
            return troubled(claim, "refused", problem_of(view, self._node))
        return troubled(claim, "refused", refused(view, claim, self._node))

    def _shown(self, view: Queued) -> list[HolderJson]:
        if view.holders is not self._behind:
            self._behind, self._holders = view.holders, holders_json(view, self._at)
        return self._holders


def troubled(
    claim: str, state: Literal["lost", "refused", "settling"], problem: Problem
) -> TroubledJson:
    """A claim's state that a problem explains."""
    return TroubledJson(claim=claim, state=state, problem=problem.body())

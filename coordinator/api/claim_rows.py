"""The JSON form of a claim in a list of claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired

from typing_extensions import TypedDict

from coordinator.api.answers import pod_name, pod_uid, tenths
from coordinator.kube.microtime import elapsed

if TYPE_CHECKING:
    from datetime import datetime

    from coordinator.core.listing import ClaimRow


class ClaimSummaryJson(TypedDict):
    """One claim of a list. What does not apply to its state, or is not known, is null.

    `position`, `present` and `waitedSeconds` are those of a claim that waits; `slot`, `lease`,
    `fencingToken`, `heldSeconds` and `silentSeconds` of one that a Lease names. A claim that is
    `draining` holds a slot past the node's limit.
    """

    claim: str
    node: str
    state: Literal["queued", "held", "draining", "releasing", "unresponsive"]
    load: str
    priority: int
    pod: str | None
    podUid: str | None
    ttlSeconds: int
    position: int | None
    present: bool | None
    slot: int | None
    lease: str | None
    waitedSeconds: float | None
    heldSeconds: float | None
    silentSeconds: float | None
    fencingToken: int | None


ClaimsJson = TypedDict(
    "ClaimsJson", {"claims": list[ClaimSummaryJson], "continue": NotRequired[str]}
)
"""A page of claims; `continue` is there when more follow, to be sent back as it is."""


def row_json(row: ClaimRow, at: datetime) -> ClaimSummaryJson:
    """The claim at the wall clock's time `at`."""
    terms = row.terms
    return ClaimSummaryJson(
        claim=row.claim,
        node=row.node,
        state=row.state,
        load=terms.load,
        priority=terms.priority,
        pod=pod_name(terms.pod),
        podUid=pod_uid(terms.pod),
        ttlSeconds=terms.ttl,
        position=row.position,
        present=row.present,
        slot=row.slot,
        lease=row.lease,
        waitedSeconds=tenths(row.waited),
        heldSeconds=tenths(elapsed(row.acquired, at)),
        silentSeconds=tenths(row.silent),
        fencingToken=row.token,
    )

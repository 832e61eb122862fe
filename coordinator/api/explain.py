"""The JSON forms of why: of a claim, a node, a pool; and how what the core found becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from coordinator.api.answers import (
    GrantedJson,
    QueuedJson,
    granted_json,
    holders_json,
    pod_name,
    queued_json,
    tenths,
)
from coordinator.core.estimate import Estimate, Unforeseen
from coordinator.core.explain import PoolCode  # noqa: TC001 - the OpenAPI document reads it
from coordinator.core.listing import HolderState  # noqa: TC001 - the same
from coordinator.core.reasons import Code  # noqa: TC001 - the same
from coordinator.core.sentences import claim_sentence, node_sentence, pool_sentence

if TYPE_CHECKING:
    from datetime import datetime

    from coordinator.core.explain import Ahead, ClaimWhy, Holding, NodeWhy, PoolWhy
    from coordinator.core.forecast import Typical
    from coordinator.core.surroundings import ConfigTrouble
    from coordinator.core.views import Granted, Queued


class TypicalJson(TypedDict):
    """For how long loads lately held a slot: the median, and the 10th and 90th percentile."""

    seconds: float
    lowSeconds: float
    highSeconds: float
    samples: int


class EstimateJson(TypicalJson):
    """Seconds from now until the grant: the median, and the 10th and 90th percentile.

    `samples` is from how many durations of the node's loads; `method` says how.
    """

    method: str


class WhyHolderJson(TypedDict):
    """Who holds a slot. `draining` holds one past the limit; `unresponsive` is silent and cannot be
    shown to have ended. `heldSeconds` is since the grant, `silentSeconds` since it was heard of;
    null where nobody knows.
    """

    claim: str
    load: str
    pod: str | None
    slot: int
    lease: str
    priority: int
    state: HolderState
    heldSeconds: float | None
    silentSeconds: float | None


class AheadJson(TypedDict):
    """A claim that comes first. `present` is false while nobody asks for it: it is passed."""

    claim: str
    load: str
    pod: str | None
    priority: int
    position: int
    waitedSeconds: float
    present: bool


class ConfigTroubleJson(TypedDict):
    """The ConfigMap's newest state is refused since then (RFC 3339); the last good limits stay."""

    refusedSince: str
    error: str


class ClaimWhyJson(TypedDict):
    """Why a claim waits, or what it has. `code` is stable, `sentence` is for people.

    `position` and `waitedSeconds` (in this leader's queue) are null for one that holds. `held` is
    the number of holders, `draining` and `unresponsive` those among them; `ahead` names the first
    20 of `aheadCount`. Where there is no `estimate`, `estimateAbsent` says why.
    """

    sentence: str
    code: Code
    node: str
    position: int | None
    queued: int
    limit: int
    decidedBy: str
    waitedSeconds: float | None
    held: int
    draining: int
    unresponsive: int
    holders: list[WhyHolderJson]
    ahead: list[AheadJson]
    aheadCount: int
    config: ConfigTroubleJson | None
    estimate: EstimateJson | None
    estimateAbsent: str


class NodeWhyJson(TypedDict):
    """Whether the node grants, and why not.

    `nextGrant` is for the first claim that waits, or else for whoever comes next; `typicalHeld`
    is null where too few loads have ended.
    """

    sentence: str
    code: Code
    nextGrant: EstimateJson | None
    estimateAbsent: str
    typicalHeld: TypicalJson | None
    config: ConfigTroubleJson | None


class StarvedNodeJson(TypedDict):
    """A node where claims wait; `longestWaitSeconds` is the wait of the first of them."""

    node: str
    queued: int
    longestWaitSeconds: float


class PoolWhyJson(TypedDict):
    """Where claims wait in the pool: `starvedNodes` names the ten nodes with the longest waits."""

    sentence: str
    code: PoolCode
    waiting: int
    starvedNodes: list[StarvedNodeJson]
    unresponsive: int
    config: ConfigTroubleJson | None


class ExplainedGrantJson(GrantedJson):
    """A claim that holds a slot, and what is to be known about it."""

    why: ClaimWhyJson


class ExplainedWaitJson(QueuedJson):
    """A claim that waits, and why."""

    why: ClaimWhyJson


def explained_grant_json(view: Granted, term: int, why: ClaimWhy) -> ExplainedGrantJson:
    """The grant with its why."""
    return ExplainedGrantJson(**granted_json(view, term), why=claim_why_json(why))


def explained_wait_json(view: Queued, term: int, at: datetime, why: ClaimWhy) -> ExplainedWaitJson:
    """The place in the queue with its why, at the wall clock's time `at`."""
    return ExplainedWaitJson(
        **queued_json(view, term, holders_json(view, at)), why=claim_why_json(why)
    )


def claim_why_json(why: ClaimWhy) -> ClaimWhyJson:
    """What is true of a claim."""
    scene = why.scene
    estimate, absent = _estimate_json(why.forecast)
    return ClaimWhyJson(
        sentence=claim_sentence(why),
        code=why.code,
        node=scene.node,
        position=why.position,
        queued=scene.queued,
        limit=scene.limit,
        decidedBy=scene.decided_by,
        waitedSeconds=tenths(why.waited),
        held=len(scene.holders),
        draining=len(scene.draining),
        unresponsive=len(scene.unresponsive),
        holders=[_holder_json(one) for one in scene.holders],
        ahead=[_ahead_json(one) for one in why.ahead],
        aheadCount=why.ahead_count,
        config=_config_json(scene.config),
        estimate=estimate,
        estimateAbsent=absent,
    )


def node_why_json(why: NodeWhy) -> NodeWhyJson:
    """What is true of a node."""
    estimate, absent = _estimate_json(why.forecast)
    return NodeWhyJson(
        sentence=node_sentence(why),
        code=why.code,
        nextGrant=estimate,
        estimateAbsent=absent,
        typicalHeld=_spread_json(why.typical) if why.typical else None,
        config=_config_json(why.scene.config),
    )


def pool_why_json(why: PoolWhy) -> PoolWhyJson:
    """Where claims wait."""
    return PoolWhyJson(
        sentence=pool_sentence(why),
        code=why.code,
        waiting=why.waiting,
        starvedNodes=[
            StarvedNodeJson(
                node=one.node,
                queued=one.queued,
                longestWaitSeconds=round(one.longest_wait, 1),
            )
            for one in why.starved
        ],
        unresponsive=why.unresponsive,
        config=_config_json(why.config),
    )


def _estimate_json(found: Estimate | Unforeseen | None) -> tuple[EstimateJson | None, str]:
    if not isinstance(found, Estimate):
        return None, found.why if found else ""
    return EstimateJson(**_spread_json(found), method=found.method), ""


def _spread_json(found: Estimate | Typical) -> TypicalJson:
    return TypicalJson(
        seconds=round(found.seconds, 1),
        lowSeconds=round(found.low, 1),
        highSeconds=round(found.high, 1),
        samples=found.samples,
    )


def _config_json(trouble: ConfigTrouble | None) -> ConfigTroubleJson | None:
    return ConfigTroubleJson(refusedSince=trouble.since, error=trouble.error) if trouble else None


def _holder_json(one: Holding) -> WhyHolderJson:
    return WhyHolderJson(
        claim=one.claim,
        load=one.load,
        pod=pod_name(one.pod),
        slot=one.slot,
        lease=one.lease,
        priority=one.priority,
        state=one.state,
        heldSeconds=tenths(one.age),
        silentSeconds=tenths(one.silent),
    )


def _ahead_json(one: Ahead) -> AheadJson:
    return AheadJson(
        claim=one.claim,
        load=one.load,
        pod=pod_name(one.pod),
        priority=one.priority,
        position=one.position,
        waitedSeconds=round(one.waited, 1),
        present=one.present,
    )

"""The examples of what explains a wait. Tests hold them against the schemas."""

from __future__ import annotations

from coordinator.api.explain import (
    ClaimWhyJson,
    EstimateJson,
    NodeWhyJson,
    PoolWhyJson,
    StarvedNodeJson,
    TypicalJson,
    WhyHolderJson,
)

RULE = "perNodeConfig[0] kubernetes.io/hostname=node1"
POD = "velero/backup-7-x2x4c"

HOLDER = WhyHolderJson(
    claim="7f3a",
    load="backup-7/pvc-3",
    pod=POD,
    slot=0,
    lease="node1-slot-0",
    priority=0,
    state="held",
    heldSeconds=741.9,
    silentSeconds=3.2,
)

ESTIMATE = EstimateJson(
    seconds=462.0,
    lowSeconds=186.0,
    highSeconds=840.0,
    samples=40,
    method="the queue played through 64 times with durations drawn from the last 40 loads of this"
    " node; median, 10th and 90th percentile; later arrivals are not foreseen",
)

WHY_GRANTED = ClaimWhyJson(
    sentence="backup-7/pvc-3 holds slot 0 of node1 (Lease node1-slot-0) for 12 min.",
    code="granted",
    node="node1",
    position=None,
    queued=1,
    limit=1,
    decidedBy=RULE,
    waitedSeconds=None,
    held=1,
    draining=0,
    unresponsive=0,
    holders=[HOLDER],
    ahead=[],
    aheadCount=0,
    config=None,
    estimate=None,
    estimateAbsent="",
)

WHY_QUEUED: ClaimWhyJson = {
    **WHY_GRANTED,
    "sentence": "backup-7/pvc-4 waits on node1 for 17 s, position 1 of 1: 1 of 1 slots are held"
    f" (backup-7/pvc-3 for 12 min), limit 1 from {RULE}; likely 8 min more (3 to 14 min, from 40"
    " loads).",
    "code": "slots-held",
    "position": 1,
    "waitedSeconds": 17.4,
    "estimate": ESTIMATE,
}

WHY_NODE = NodeWhyJson(
    sentence="1 of 1 slots of node1 are held (backup-7/pvc-3 for 12 min), limit 1 from"
    f" {RULE}; 1 waits, the first for 17 s; the next slot is likely to come free in 8 min (3 to 14"
    " min, from 40 loads).",
    code="slots-held",
    nextGrant=ESTIMATE,
    estimateAbsent="",
    typicalHeld=TypicalJson(seconds=730.0, lowSeconds=410.0, highSeconds=1350.0, samples=40),
    config=None,
)

WHY_POOL = PoolWhyJson(
    sentence="1 claim waits on 1 node, longest on node1 (1, for 17 s).",
    code="waiting",
    waiting=1,
    starvedNodes=[StarvedNodeJson(node="node1", queued=1, longestWaitSeconds=17.4)],
    unresponsive=0,
    config=None,
)

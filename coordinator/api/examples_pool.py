"""The examples of what looks at a pool as a whole. Tests hold them against the schemas."""

from __future__ import annotations

from coordinator.api.claim_rows import ClaimsJson, ClaimSummaryJson
from coordinator.api.examples_why import POD, RULE, WHY_POOL
from coordinator.api.happenings import (
    GrantEventJson,
    HandoverEventJson,
    HelloJson,
    event_text,
)
from coordinator.api.preview import OverLimitJson, PreviewJson, RuleJson
from coordinator.api.reports import (
    ConfigJson,
    MoverJson,
    MoversJson,
    NodesJson,
    NodeSummaryJson,
    PoolJson,
    TotalsJson,
)

POD_UID = "5b0f6d1e-3c0a-4a8e-9a55-0d6c1f1a2b3c"

SUMMARY = NodeSummaryJson(
    node="node1",
    limit=1,
    held=1,
    queued=1,
    hold="",
    decidedBy=RULE,
    unresponsive=0,
    draining=0,
    longestWaitSeconds=17.4,
)

NODES = NodesJson(nodes=[SUMMARY])
NODES["continue"] = "bm9kZTE="

CLAIMS = ClaimsJson(
    claims=[
        ClaimSummaryJson(
            claim="7f3a",
            node="node1",
            state="held",
            load="backup-7/pvc-3",
            priority=0,
            pod=POD,
            podUid=POD_UID,
            ttlSeconds=60,
            position=None,
            present=None,
            slot=0,
            lease="node1-slot-0",
            waitedSeconds=None,
            heldSeconds=741.9,
            silentSeconds=3.2,
            fencingToken=1201,
        ),
        ClaimSummaryJson(
            claim="91bc",
            node="node1",
            state="queued",
            load="backup-7/pvc-4",
            priority=0,
            pod=None,
            podUid=None,
            ttlSeconds=60,
            position=1,
            present=True,
            slot=None,
            lease=None,
            waitedSeconds=17.4,
            heldSeconds=None,
            silentSeconds=None,
            fencingToken=None,
        ),
    ]
)
CLAIMS["continue"] = "WyJub2RlMSIsWzIsMTcsMTE4NywxNywiOTFiYyJdXQ=="

CONFIG = PreviewJson(
    accepted=True,
    error="",
    warnings=[],
    nodes=3,
    changedCount=0,
    changed=[],
    overLimit=OverLimitJson(nodes=0, holders=0),
    rules=[
        RuleJson(
            rule="perNodeConfig[0]",
            selector="kubernetes.io/hostname=node1",
            number=1,
            matches=1,
            decides=1,
        )
    ],
    unmatched=[],
    globalLimit=2,
)

PREVIEW_BODY: dict[str, object] = {
    "text": '{"loadConcurrency": {"globalConfig": 1, "perNodeConfig": [{"nodeSelector":'
    ' {"matchLabels": {"kubernetes.io/hostname": "node1"}}, "number": 2}, {"nodeSelector":'
    ' {"matchLabels": {"disk": "fast"}}, "number": 4}]}}'
}

PREVIEW = PreviewJson(
    accepted=True,
    error="",
    warnings=[],
    nodes=3,
    changedCount=2,
    changed=[
        {"node": "node1", "from": 1, "to": 2, "decidedBy": RULE, "held": 1, "over": 0},
        {"node": "node2", "from": 2, "to": 1, "decidedBy": "globalConfig", "held": 2, "over": 1},
    ],
    overLimit=OverLimitJson(nodes=1, holders=1),
    rules=[
        RuleJson(
            rule="perNodeConfig[0]",
            selector="kubernetes.io/hostname=node1",
            number=2,
            matches=1,
            decides=1,
        ),
        RuleJson(rule="perNodeConfig[1]", selector="disk=fast", number=4, matches=0, decides=0),
    ],
    unmatched=["perNodeConfig[1] disk=fast"],
    globalLimit=1,
)

GRANT = GrantEventJson(
    at="2026-01-05T10:00:00.000000Z",
    node="node1",
    lease="node1-slot-0",
    slot=0,
    claim="7f3a",
    load="backup-7/pvc-3",
    pod=POD,
    token=1201,
    waitedSeconds=0.012,
)

HANDOVER: HandoverEventJson = {
    "at": "2026-01-05T10:12:21.900000Z",
    "node": "node1",
    "lease": "node1-slot-0",
    "slot": 0,
    "claim": "91bc",
    "load": "backup-7/pvc-4",
    "pod": None,
    "token": 1377,
    "waitedSeconds": 17.4,
    "heldSeconds": 741.89,
    "handoverSeconds": 0.006,
    "from": {"claim": "7f3a", "load": "backup-7/pvc-3", "pod": POD},
}

EVENTS = (
    b"retry: 1000\n"
    + event_text("hello", HelloJson(term=1187, namespace="velero"), "1187.41")
    + event_text("grant", GRANT, "1187.42")
    + event_text("node", SUMMARY)
    + event_text("handover", HANDOVER, "1187.43")
).decode()

POOL = PoolJson(
    namespace="velero",
    term=1187,
    ready=True,
    reason="",
    config=ConfigJson(
        configMap="node-slots",
        accepted=True,
        error="",
        warnings=[],
        version="911",
        since="2026-01-05T09:12:44.000000Z",
        rules=[f"{RULE}: 1"],
        globalLimit=2,
    ),
    totals=TotalsJson(nodes=3, limit=5, held=1, queued=1),
    movers=MoversJson(
        governed=2,
        ungoverned=1,
        ungovernedSeen=4,
        ungovernedPods=[MoverJson(pod="velero/backup-6-h7k2p", kind="PodVolumeBackup")],
        nearTimeout=0,
    ),
    why=WHY_POOL,
)

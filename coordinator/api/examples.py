"""The examples of the OpenAPI document. Tests hold them against the schemas."""

from __future__ import annotations

from coordinator.api.admission import AdmissionResponseJson, AdmissionReviewJson
from coordinator.api.answers import GrantedJson, HolderJson, QueuedJson, SyncJson, TroubledJson
from coordinator.api.examples_pool import POOL
from coordinator.api.examples_why import WHY_GRANTED, WHY_NODE, WHY_QUEUED
from coordinator.api.explain import ExplainedGrantJson, ExplainedWaitJson
from coordinator.api.problems import Problem
from coordinator.api.reports import (
    LeaderJson,
    NodeJson,
    SlotHolderJson,
    SlotJson,
    StatusJson,
    WaitingJson,
)

POD_UID = "5b0f6d1e-3c0a-4a8e-9a55-0d6c1f1a2b3c"

CLAIM: dict[str, object] = {
    "load": "backup-7/pvc-3",
    "priority": 0,
    "ttlSeconds": 60,
    "waitSeconds": 20,
    "pod": {
        "namespace": "velero",
        "name": "backup-7-x2x4c",
        "uid": POD_UID,
    },
}

SYNC: dict[str, object] = {
    "agent": "node-agent-8k2fd",
    "boot": "0d1f4a7e5c9b4f0f",
    "sequence": 7,
    "waitSeconds": 20,
    "claims": [
        {"claim": "7f3a", "load": "backup-7/pvc-3", "ttlSeconds": 60, "fencingToken": 1201},
        {"claim": "91bc", "load": "backup-7/pvc-4", "ttlSeconds": 60, "ticket": "1187.17"},
        {"claim": "a04e", "load": "backup-7/pvc-5", "ttlSeconds": 60, "fencingToken": 1150},
    ],
    "releases": ["20d6"],
}

REVIEW: dict[str, object] = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "namespace": "velero",
        "operation": "CREATE",
        "object": {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "backup-7-x2x4c",
                "labels": {"velero.io/pod-volume-backup": "backup-7-x2x4c"},
            },
            "spec": {"containers": [{"name": POD_UID, "image": "velero/velero:v1.18.0"}]},
        },
    },
}

REVIEW_ANSWER = AdmissionReviewJson(
    apiVersion="admission.k8s.io/v1",
    kind="AdmissionReview",
    response=AdmissionResponseJson(
        uid="705ab4f5-6393-11e8-b7cc-42010a800002",
        allowed=True,
        patchType="JSONPatch",
        patch="W3sib3AiOiJhZGQiLCJwYXRoIjoiL3NwZWMvaW5pdENvbnRhaW5lcnMiLCJ2YWx1ZSI6W119XQ==",
    ),
)

HOLDER = HolderJson(
    claim="7f3a",
    load="backup-7/pvc-3",
    lease="node1-slot-0",
    priority=0,
    pod="velero/backup-7-x2x4c",
    heldSeconds=741,
)

GRANTED = GrantedJson(
    claim="7f3a",
    state="granted",
    term=1187,
    slot=0,
    lease="node1-slot-0",
    fencingToken=1201,
    ttlSeconds=60,
)

QUEUED = QueuedJson(
    claim="91bc",
    state="queued",
    term=1187,
    position=1,
    ticket="1187.17",
    reason="1 of 1 slots of node1 are held",
    holders=[HOLDER],
)

EXPLAINED_GRANT = ExplainedGrantJson(**GRANTED, why=WHY_GRANTED)
EXPLAINED_WAIT = ExplainedWaitJson(**QUEUED, why=WHY_QUEUED)

_LOST = Problem(
    "slot-lost", "claim a04e has no slot of node1 any more: its Lease was deleted; stop its load"
)

SYNC_ANSWER = SyncJson(
    term=1187,
    sequence=7,
    claims=[GRANTED, QUEUED, TroubledJson(claim="a04e", state="lost", problem=_LOST.body())],
    released=["20d6"],
)

NODE = NodeJson(
    node="node1",
    limit=1,
    decidedBy="perNodeConfig[0] kubernetes.io/hostname=node1",
    matched=["perNodeConfig[0] kubernetes.io/hostname=node1"],
    skipped=[],
    hold="",
    held=1,
    slots=[
        SlotJson(
            slot=0,
            lease="node1-slot-0",
            state="held",
            detail="",
            holder=SlotHolderJson(**HOLDER, podUid=POD_UID, ttlSeconds=60),
            fencingToken=1201,
            acquired="2026-01-05T10:00:00.000000Z",
            silentSeconds=3.2,
        )
    ],
    queue=[
        WaitingJson(
            claim="91bc",
            load="backup-7/pvc-4",
            priority=0,
            position=1,
            present=True,
            pod=None,
            podUid=None,
            ttlSeconds=60,
        )
    ],
    why=WHY_NODE,
)

STATUS = StatusJson(
    version="0.1.0",
    answeredBy="slot-coordinator-0_7c1e",
    leading=True,
    leader=LeaderJson(identity="slot-coordinator-0_7c1e", url="http://10.0.0.7:8443"),
    ready=True,
    checks={"velero": ""},
    pools=[POOL],
)

NOT_READY = "[-] velero: the first list of Leases is not complete\n"

METRICS = """\
# HELP nodeslots_slots_held Slots with a holder.
# TYPE nodeslots_slots_held gauge
nodeslots_slots_held{namespace="velero",node="node1"} 1.0
"""

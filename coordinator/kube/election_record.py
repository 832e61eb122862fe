"""The election Lease as JSON: what it says, and the bodies of writes. Pure.

Unlike a slot's Lease (`coordinator.kube.records`) it carries `leaseDurationSeconds`: this one may
be taken by looking at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

import orjson

from coordinator.kube.answers import lost
from coordinator.kube.records import MANAGED_BY, MANAGER, NO_BACKUP, PREFIX

if TYPE_CHECKING:
    from coordinator.kube.answers import Json
    from coordinator.kube.calls import Call

URL = PREFIX + "url"
"""The annotation that says where the leader's API is."""


@dataclass(frozen=True, slots=True)
class Record:
    """The election Lease as it was seen. `duration` is in seconds, 0 where none is set."""

    version: int
    uid: str
    holder: str
    url: str
    renewed: str
    duration: float
    whole: Json = field(repr=False, compare=False)

    def renews(self, before: Record | None) -> bool:
        """Whether its holder wrote it since `before`, not only somebody who changed a label."""
        return before is None or self._term != before._term

    @property
    def _term(self) -> tuple[object, ...]:
        return (self.uid, self.holder, self.renewed, self.duration)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a candidate writes into the election Lease. `stamp` is the wall time as MicroTime."""

    holder: str
    url: str
    lease: float
    stamp: str


def parse(call: Call, obj: Json) -> Record:
    """The record in a Lease; raises `Unavailable` or `UnknownOutcome` where there is none."""
    head, spec = obj.get("metadata"), obj.get("spec") or {}
    if not isinstance(head, dict) or not isinstance(spec, dict) or "uid" not in head:
        raise lost(call, "the answer is no Lease")
    version = str(head.get("resourceVersion"))
    if not version.isdecimal():
        raise lost(call, f"the Lease's resourceVersion {version[:40]!r} is no number")
    duration = spec.get("leaseDurationSeconds")
    return Record(
        version=int(version),
        uid=str(head["uid"]),
        holder=str(spec.get("holderIdentity") or ""),
        url=str((head.get("annotations") or {}).get(URL, "")),
        renewed=str(spec.get("renewTime") or ""),
        duration=float(duration) if isinstance(duration, int) else 0.0,
        whole=obj,
    )


def render_create(name: str, entry: Entry) -> bytes:
    """The body of a create that also acquires."""
    return _body({"name": name}, {"leaseTransitions": 0, "acquireTime": entry.stamp}, entry)


def render_update(base: Record, entry: Entry) -> bytes:
    """The body that acquires or renews, if the Lease is still `base`; what others wrote stays."""
    head, spec = _parts(base)
    if entry.holder != base.holder:
        spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        spec["acquireTime"] = entry.stamp
    return _body(head, spec, entry)


def render_release(base: Record) -> bytes:
    """The body that leaves the Lease to whoever comes first, if it is still `base`."""
    head, spec = _parts(base)
    notes = {key: value for key, value in (head.get("annotations") or {}).items() if key != URL}
    return _lease({**head, "annotations": notes}, spec | {"holderIdentity": ""})


def _parts(base: Record) -> tuple[Json, Json]:
    """Its metadata and spec, to be changed. uid and resourceVersion are among the former: a PUT
    without uid onto a deleted Lease would create it.
    """
    head = {key: value for key, value in base.whole["metadata"].items() if key != "managedFields"}
    return head, dict(base.whole.get("spec") or {})


def _body(head: Json, spec: Json, entry: Entry) -> bytes:
    labels = dict(head.get("labels") or {}) | {MANAGED_BY: MANAGER, NO_BACKUP: "true"}
    notes = dict(head.get("annotations") or {}) | {URL: entry.url}
    spec = spec | {
        "holderIdentity": entry.holder,
        "leaseDurationSeconds": ceil(entry.lease),
        "renewTime": entry.stamp,
    }
    return _lease({**head, "labels": labels, "annotations": notes}, spec)


def _lease(head: Json, spec: Json) -> bytes:
    return orjson.dumps(
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": head, "spec": spec},
        option=orjson.OPT_SORT_KEYS,
    )

"""Deletion: preconditions, finalizers, and the grace of Pods (``registry/rest/delete.go``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import errors, kinds

if TYPE_CHECKING:
    from coordinator.embedded.history import Entry
    from coordinator.embedded.resources import Resource

Object = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """DeleteOptions; ``grace_seconds`` None leaves it to the object."""

    uid: str | None = None
    resource_version: str | None = None
    grace_seconds: int | None = None
    dry_run: bool = False


@dataclass(frozen=True)
class Plan:
    """What a delete does: first mark the object (or not), then remove it (or not)."""

    marked: Object | None
    gone: bool


def timestamp(moment: datetime) -> str:
    """Return a moment in UTC, in whole seconds, as metadata has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def check_uid(resource: Resource, name: str, wanted: str, found: str) -> None:
    """Raise 409 when an update names the uid of another object."""
    if wanted and wanted != found:
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
        raise errors.conflict(resource, name, why)


def _check(resource: Resource, old: Entry, options: Options) -> None:
    name, uid = old.view["metadata"]["name"], old.view["metadata"]["uid"]
    if options.uid is not None and options.uid != uid:
        raise errors.precondition(
            resource,
            name,
            f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid})."
            " The object might have been deleted and then recreated",
        )
    if options.resource_version not in {None, str(old.version)}:
        raise errors.precondition(
            resource,
            name,
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match "
            f"the ResourceVersion in record ({old.version}). The object might have been modified",
        )


def _mark(old: Entry, grace: int, now: datetime) -> Object:
    obj: Object = orjson.loads(old.encoded)
    meta = obj["metadata"]
    meta["deletionTimestamp"] = timestamp(now + timedelta(seconds=grace))
    meta["deletionGracePeriodSeconds"] = grace
    if meta.get("generation", 0) > 0 and not old.view["metadata"].get("deletionTimestamp"):
        meta["generation"] += 1
    return obj


def _plan_namespace(old: Entry, now: datetime) -> Plan:
    """Namespaces wait for a controller to empty them and take ``kubernetes`` off their spec."""
    if old.view["metadata"].get("deletionTimestamp"):
        return Plan(None, gone=not old.view["spec"].get("finalizers"))
    marked = _mark(old, 0, now)
    del marked["metadata"]["deletionGracePeriodSeconds"]
    marked["status"]["phase"] = "Terminating"
    return Plan(marked, gone=False)


def _plan_graceful(resource: Resource, old: Entry, options: Options, now: datetime) -> Plan:
    meta = old.view["metadata"]
    finalized = not meta.get("finalizers")
    left = meta.get("deletionGracePeriodSeconds")
    if meta.get("deletionTimestamp"):
        shorter = options.grace_seconds is not None and options.grace_seconds < (left or 0)
        if left and not shorter:
            return Plan(None, gone=False)
        if not left:
            return Plan(None, gone=finalized)
    grace = kinds.grace_seconds(resource, old.view, options.grace_seconds)
    return Plan(_mark(old, grace, now), gone=grace == 0 and finalized)


def plan(resource: Resource, old: Entry, options: Options, now: datetime) -> Plan:
    """Return what a delete does to an object; raises 409 when a precondition fails."""
    _check(resource, old, options)
    if resource.kind == "Namespace":
        return _plan_namespace(old, now)
    if resource.graceful:
        return _plan_graceful(resource, old, options, now)
    meta = old.view["metadata"]
    if not meta.get("finalizers"):
        return Plan(None, gone=True)
    if meta.get("deletionTimestamp"):
        return Plan(None, gone=False)
    return Plan(_mark(old, 0, now), gone=False)


def ends(obj: Object, old: Object) -> bool:
    """Tell whether an update takes the last finalizer off a terminating object."""
    was = old["metadata"]
    if obj["metadata"].get("finalizers") or not was.get("deletionTimestamp"):
        return False
    return was.get("deletionGracePeriodSeconds", 0) == 0 and bool(was.get("finalizers"))


def done(resource: Resource, old: Entry) -> Object:
    """Return the Status that answers a completed delete."""
    meta = old.view["metadata"]
    details = {
        "name": meta["name"],
        "group": resource.group,
        "kind": resource.plural,
        "uid": meta["uid"],
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }

"""Events in two versions: ``events.k8s.io/v1`` shows the objects that ``v1`` stores."""

from __future__ import annotations

from typing import Any

from coordinator.embedded import errors
from coordinator.embedded.history import Entry, entry
from coordinator.embedded.resources import EVENTS, NEW_EVENTS, Resource

Object = dict[str, Any]

_RENAMED = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_SHOWN = {stored: shown for shown, stored in _RENAMED.items()}


def stored_as(resource: Resource) -> Resource:
    """Return the resource under which objects of this one are stored."""
    return EVENTS if resource is NEW_EVENTS else resource


def renamed(resource: Resource, obj: Any) -> Any:
    """Return a request's object, or merge patch, with the names of the stored version."""
    if resource is not NEW_EVENTS or not isinstance(obj, dict):
        return obj
    return {_RENAMED.get(key, key): value for key, value in obj.items()}


def stored_fields(resource: Resource, selector: str) -> str:
    """Return a field selector in the names of the stored version."""
    if resource is not NEW_EVENTS:
        return selector
    renamed_ = selector.replace("regarding.", "involvedObject.")
    return renamed_.replace("reportingController", "reportingComponent")


def to_stored(resource: Resource, obj: Any) -> Any:
    """Return a request's object as it is stored; raises 422 for a new event without eventTime."""
    stored = renamed(resource, obj)
    if resource is NEW_EVENTS and isinstance(stored, dict) and not stored.get("eventTime"):
        name = (stored.get("metadata") or {}).get("name", "")
        raise errors.invalid(resource.group, "Event", name, [errors.required("eventTime")])
    return stored


def to_shown(resource: Resource, obj: Object) -> Object:
    """Return a stored object as the asked version shows it."""
    if resource is not NEW_EVENTS:
        return obj
    shown = {_SHOWN.get(key, key): value for key, value in obj.items()}
    return {**shown, "apiVersion": resource.group_version}


def shown_entry(resource: Resource, stored: Entry) -> Entry:
    """Return a stored entry as the asked version shows it."""
    if resource is not NEW_EVENTS:
        return stored
    view = {_SHOWN.get(key, key): value for key, value in stored.view.items()}
    return entry(stored.key, stored.version, {**view, "metadata": dict(view["metadata"])})

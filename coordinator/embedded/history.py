"""What was committed: entries, events, and the log that watches and old lists read.

There is one resourceVersion for the whole store and one event for each, so the log is addressed by
arithmetic and never searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.embedded.resources import Resource

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One object at one version. ``view`` is shared and must never be changed."""

    key: str
    version: int
    view: dict[str, Any]
    encoded: bytes
    """The object without kind and apiVersion, as items of lists have it."""

    def whole(self, resource: Resource) -> bytes:
        """Return the JSON of the object with its kind and apiVersion."""
        head = f'{{"kind":"{resource.kind}","apiVersion":"{resource.group_version}",'
        return head.encode() + self.encoded[1:]

    def copy(self, resource: Resource) -> dict[str, Any]:
        """Return the object for the caller to keep and change."""
        found: dict[str, Any] = orjson.loads(self.whole(resource))
        return found


def entry(key: str, version: int, obj: dict[str, Any]) -> Entry:
    """Return the entry of an object at a version, 0 for none; takes the object over."""
    obj["metadata"]["resourceVersion"] = str(version)
    if not version:
        del obj["metadata"]["resourceVersion"]
    return Entry(key, version, obj, orjson.dumps(obj, option=orjson.OPT_SORT_KEYS))


@dataclass(frozen=True, slots=True)
class Event:
    """One commit. A deletion's entry is the last state at the deletion's own version."""

    resource: Resource
    type: str
    entry: Entry
    previous: Entry | None


class History:
    """The events after ``compacted``; everything up to it is forgotten."""

    def __init__(self, compacted: int) -> None:
        self.compacted = compacted
        self._events: list[Event] = []

    def __len__(self) -> int:
        return len(self._events)

    def append(self, event: Event) -> None:
        """Add the event of the next version."""
        self._events.append(event)

    def since(self, version: int) -> Sequence[Event]:
        """Return the events after a version, oldest first.

        Raises ``ApiError`` 410 when some of them are forgotten.
        """
        if version < self.compacted:
            raise errors.expired(f"too old resource version: {version} ({self.compacted})")
        return self._events[version - self.compacted :]

    def compact(self, keep: int) -> None:
        """Forget all but the last ``keep`` events."""
        dropped = max(0, len(self._events) - keep)
        self._events = self._events[dropped:]
        self.compacted += dropped

    def rewind(self, resource: Resource, table: dict[str, Entry], version: int) -> dict[str, Entry]:
        """Return the table of a resource as it was at a version; raises as ``since`` does."""
        then = dict(table)
        for event in reversed(self.since(version)):
            if event.resource != resource:
                continue
            if event.previous is None:
                then.pop(event.entry.key, None)
            else:
                then[event.entry.key] = event.previous
        return then

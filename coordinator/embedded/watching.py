"""What a watch sees of the log: selectors turn changes into additions and deletions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from coordinator.embedded import selectors
from coordinator.embedded.history import ADDED, DELETED, MODIFIED, Entry, Event, entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.embedded.listing import Query
    from coordinator.embedded.resources import Resource
    from coordinator.embedded.store import Store

Change = tuple[str, Entry]


@dataclass
class Watch:
    """One watch's place in the log; ``version`` is the last one it has seen."""

    store: Store
    resource: Resource
    query: Query
    version: int

    def __post_init__(self) -> None:
        """Read the selectors; raises ``ApiError`` 400."""
        query = self.query
        self._prefix = f"{query.namespace}/" if query.namespace else ""
        self._matchers = selectors.both(self.resource, query.label_selector, query.field_selector)

    def _matches(self, one: Entry | None) -> bool:
        return one is not None and all(matches(one.view) for matches in self._matchers)

    def _change(self, event: Event) -> Change | None:
        if event.resource != self.resource or not event.entry.key.startswith(self._prefix):
            return None
        before = self._matches(event.previous)
        if event.type != DELETED and self._matches(event.entry):
            return (MODIFIED if before else ADDED), event.entry
        if not before or event.previous is None:
            return None
        if event.type == DELETED:
            return DELETED, event.entry
        # It left the selection: the watch gets it as it last matched, at this event's version.
        left = orjson.loads(event.previous.encoded)
        return DELETED, entry(event.entry.key, event.entry.version, left)

    def initial(self) -> Iterator[Change]:
        """Yield what is there now as additions, for a watch that starts without a version."""
        self.version = self.store.version
        for one in self.store.page(self.resource, self.query).entries:
            yield ADDED, one

    def changes(self) -> list[Change]:
        """Return what happened since the last call; raises ``ApiError`` 410 when it is forgotten.

        A watch from a version that is yet to come stays silent until it has come.
        """
        if self.version > self.store.version:
            return []
        events = self.store.history.since(self.version)
        self.version = self.store.version
        return [found for event in events if (found := self._change(event))]

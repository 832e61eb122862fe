"""The watch of Pods, one for each namespace whose Pods may claim: it says when a claim's Pod is
worth a look, and proves nothing itself.

Pods that have finished are left out by the API server, so that one which finishes is told of as
deleted. Of the others only metadata comes, and only what claims name is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kube.reflector import Changed, Deleted, Listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coordinator.core.pods import Place, PodIndex
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.callers import Callers

UNFINISHED = {"fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}


class PodWatch:
    """Calls `changed(node, claim, gone)` for each claim whose Pod something happened to; `gone`:
    it finished, or is deleted.
    """

    def __init__(self, index: PodIndex, changed: Callable[[str, str, bool], None]) -> None:
        self._index = index
        self._changed = changed
        self._versions: dict[Place, str] = {}
        """Of Pods that claims name, as far as they were told of: what a list is compared with."""

    def take(self, namespace: str, event: StreamEvent) -> None:
        """What the watch of that namespace's Pods says."""
        match event:
            case Listed():
                self._compare(namespace, event.items)
            case Changed():
                self._told(event.obj, gone=False)
            case Deleted():
                self._told(event.obj, gone=True)

    def _told(self, obj: dict[str, Any], *, gone: bool) -> None:
        place = _place(obj)
        if gone:
            self._versions.pop(place, None)
        if place not in self._index:
            return
        if not gone:
            self._versions[place] = obj["metadata"]["resourceVersion"]
        self._tell(place, gone=gone)

    def _compare(self, namespace: str, items: Iterable[dict[str, Any]]) -> None:
        """What happened between two lists was not told: a Pod is missing, or another version."""
        found = {
            place: str(obj["metadata"]["resourceVersion"])
            for obj in items
            if (place := _place(obj)) in self._index
        }
        before = self._versions
        self._versions = {p: version for p, version in before.items() if p[0] != namespace} | found
        for place in self._index:
            if place[0] == namespace and (
                place not in found or before.get(place, found[place]) != found[place]
            ):
                self._tell(place, gone=place not in found)

    def _tell(self, place: Place, *, gone: bool) -> None:
        for node, claim in self._index.claims_of(place):
            self._changed(node, claim, gone)


def _place(obj: dict[str, Any]) -> Place:
    head = obj["metadata"]
    return head["namespace"], head["name"]


def tell_of_pods(callers: Callers, namespace: str, event: StreamEvent) -> None:
    """What that namespace's watch says of the Pods whose tokens were accepted."""
    match event:
        case Listed():
            uids = {obj["metadata"]["uid"] for obj in event.items}
            callers.pods_listed(namespace, uids)
        case Deleted():
            callers.pod_gone(event.obj["metadata"]["uid"])

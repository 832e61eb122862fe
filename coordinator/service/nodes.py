"""The cluster's nodes: their labels, their hold annotations, and who asked for unknown ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coordinator.core.hold import reason_of
from coordinator.kube.reflector import Broken, Changed, Deleted, Listed
from coordinator.service.errors import NodeNotSeen, NodeUnknown, NotReady

if TYPE_CHECKING:
    from collections.abc import Callable, KeysView

    from coordinator.kube.reflector import StreamEvent

PATIENCE = 30.0
"""Seconds: a node that was asked for but not seen may only be younger than the watch."""
_MAX_ASKED = 10_000


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What limits and grants depend on."""

    labels: dict[str, str]
    hold: str


class Nodes:
    """Shared by all pools. `changed(name)` is called for every node that came, went or changed."""

    def __init__(self, now: Callable[[], float], changed: Callable[[str], None]) -> None:
        self._now = now
        self._changed = changed
        self._facts: dict[str, NodeFacts] = {}
        self._asked: dict[str, float] = {}
        self.trouble = "the first list of Nodes is not complete"

    def take(self, event: StreamEvent) -> None:
        """What the watch of the Nodes says."""
        match event:
            case Listed():
                self._replace({_name(obj): _facts(obj) for obj in event.items})
            case Changed():
                self._set(_name(event.obj), _facts(event.obj))
            case Deleted():
                self._set(_name(event.obj), None)
            case Broken():
                if not self.listed:
                    self.trouble = str(event.error)

    @property
    def listed(self) -> bool:
        """Whether all nodes have been seen once."""
        return not self.trouble

    def _replace(self, facts: dict[str, NodeFacts]) -> None:
        self.trouble = ""
        for name in sorted(self._facts.keys() | facts.keys()):
            self._set(name, facts.get(name))

    def _set(self, name: str, facts: NodeFacts | None) -> None:
        if self._facts.get(name) == facts:
            return
        if facts is None:
            del self._facts[name]
        else:
            self._facts[name] = facts
            self._asked.pop(name, None)
        self._changed(name)

    def get(self, name: str) -> NodeFacts | None:
        """The node's facts, None for a node that is not there."""
        return self._facts.get(name)

    def names(self) -> KeysView[str]:
        """All nodes, also those that come or go later."""
        return self._facts.keys()

    def require(self, name: str) -> NodeFacts:
        """The node's facts. Raises `NotReady`, `NodeNotSeen` for a while, then `NodeUnknown`."""
        if not self.listed:
            raise NotReady(f"the coordinator has not seen the Nodes yet: {self.trouble}; ask again")
        facts = self._facts.get(name)
        if facts is None:
            raise self._unseen(name)
        return facts

    def _unseen(self, name: str) -> NodeNotSeen | NodeUnknown:
        now = self._now()
        if len(self._asked) >= _MAX_ASKED:
            self._asked.clear()
        if now - self._asked.setdefault(name, now) < PATIENCE:
            return NodeNotSeen(
                f"node {name} has not been seen yet; it may just have joined; ask again", 2.0
            )
        return NodeUnknown(f"the cluster has no node {name}; is NODE_NAME the node's real name?")


def _name(obj: dict[str, Any]) -> str:
    return str(obj["metadata"]["name"])


def _facts(obj: dict[str, Any]) -> NodeFacts:
    head = obj["metadata"]
    return NodeFacts(head.get("labels") or {}, reason_of(head.get("annotations")))

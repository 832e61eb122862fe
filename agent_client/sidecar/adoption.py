"""What the coordinator has of an earlier life of this sidecar: its node's state, read."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from agent_client.messages import Granted, MalformedError, Pod, Terms
from agent_client.session import Patience
from agent_client.sidecar.requests import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLDING = frozenset({"held", "unresponsive"})
"""States of a slot whose holder may still take it up. Of a `releasing` one it is being taken."""


@dataclass(frozen=True, slots=True)
class Found:
    """A claim that the coordinator knows: a holder with its `grant`, or one that waits."""

    terms: Terms
    grant: Granted | None = None

    def wish(self) -> Wish:
        """The claim as a client would have asked for it. Its uid is in the claim's id only."""
        terms = self.terms
        patience = Patience(release_timeout=inf)
        return Wish(terms.load, terms.priority, terms.ttl, terms.pod, patience)


def read_node(payload: object) -> list[Found]:
    """The claims of a node, oldest first: holders as they were granted, then the queue.

    What cannot be read is left out: it is not worth losing the others.

    Raises:
        MalformedError: this is no node's state.
    """
    if not isinstance(payload, dict):
        raise MalformedError("a node's state is no JSON object")
    slots, queue = payload.get("slots"), payload.get("queue")
    if not (isinstance(slots, list) and isinstance(queue, list)):
        raise MalformedError("a node's state has no slots or no queue")
    holders = sorted(filter(_is_held, slots), key=lambda slot: str(slot.get("acquired", "")))
    return [*_read(holders, _holder), *_read(queue, _waiting)]


def _is_held(slot: object) -> bool:
    return isinstance(slot, dict) and slot.get("state") in HOLDING


def _read(items: list[Any], read: Any) -> Iterator[Found]:
    for item in items:
        try:
            yield read(item)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue


def _holder(slot: dict[str, Any]) -> Found:
    terms = _terms(slot["holder"])
    grant = Granted(int(slot["slot"]), str(slot["lease"]), int(slot["fencingToken"]), terms.ttl)
    return Found(terms, grant)


def _waiting(item: dict[str, Any]) -> Found:
    return Found(_terms(item))


def _terms(item: dict[str, Any]) -> Terms:
    claim, load, ttl = str(item["claim"]), str(item["load"]), int(item["ttlSeconds"])
    return Terms(claim, load, int(item["priority"]), ttl, _pod(item.get("pod"), item.get("podUid")))


def _pod(name: str | None, uid: str | None) -> Pod | None:
    if not name:
        return None
    namespace, _, pod = name.partition("/")
    return Pod(namespace, pod, uid or "")

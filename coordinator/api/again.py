"""A claim that is said again as it is known need not be read again: so are nearly all of a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.messages import Ask
from coordinator.core.model import DEFAULT_TTL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.core.claims import Claim
    from coordinator.core.model import PodRef, Speaker

_SAID = frozenset({"claim", "load", "priority", "ttlSeconds", "pod", "ticket", "fencingToken"})
"""What such a claim consists of."""


def said_again(value: Any, known: Mapping[str, Claim], speaker: Speaker, poll: int) -> Ask | None:
    """The request for a claim of which the value says exactly what is known; None where it says
    anything else, or what is wrong: then it has to be read (`schemas.SyncClaim`).
    """
    if type(value) is not dict or not _SAID.issuperset(value):
        return None
    name = value.get("claim")
    claim = known.get(name) if type(name) is str else None
    if claim is None or claim.terms.owner != speaker.owner or not _says_terms(value, claim):
        return None
    ticket, token = value.get("ticket"), value.get("fencingToken")
    if token is not None and (type(token) is not int or token != claim.chosen):
        return None
    place = None if ticket is None else claim.ticket
    if place is not None and ticket != f"{place[0]}.{place[1]}":
        return None
    return Ask(claim.id, claim.terms, place, token, poll, speaker)


def _says_terms(value: dict[str, Any], claim: Claim) -> bool:
    terms = claim.terms
    priority, ttl = value.get("priority", 0), value.get("ttlSeconds", DEFAULT_TTL)
    return (
        value.get("load") == terms.load
        and type(priority) is int
        and priority == terms.priority
        and type(ttl) is int
        and ttl == terms.ttl
        and _says_pod(value.get("pod"), terms.pod)
    )


def _says_pod(value: Any, pod: PodRef | None) -> bool:
    if pod is None or type(value) is not dict:
        return pod is value
    named = value.get("namespace") == pod.namespace and value.get("name") == pod.name
    has_uid = "uid" in value
    return named and value.get("uid", "") == pod.uid and len(value) == 2 + has_uid

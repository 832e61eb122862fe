"""One sync as it goes out: its elements, and how long its answer may take. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from agent_client.pace import LONGEST_PAUSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agent_client.session import Session

LONGEST_WAIT = 20
"""Seconds that a request lets the coordinator hold its answer back."""
URGENT_WAIT = 2
"""The same for a request with a new claim or a release, which is answered at once."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """One sync as it goes out. `timeout` is how long to wait for its answer, in seconds."""

    sequence: int
    sent_at: float
    wait: int
    timeout: float
    claims: tuple[str, ...]
    body: dict[str, Any]


def third(sessions: Iterable[Session]) -> float:
    """A third of the smallest TTL held, in seconds; infinity while nothing is held."""
    held = ((s.terms.ttl, s.grant.ttl) for s in sessions if s.grant)
    return min((min(ttls) / 3 for ttls in held), default=inf)


def waits(listed: Sequence[Session], *, urgent: bool, quick: bool) -> tuple[int, float]:
    """`waitSeconds` of a request with the sessions `listed`, and how long to wait for its answer.

    A `quick` one does not wait, nor does the first one with a claim in doubt: the word itself
    matters. One whose answer should come at once (`urgent`, or with a new claim) waits so short
    that a lost one is soon sent again. A claim that queues waits no longer than a third of its
    TTL, for a grant counts from the request that it answers.
    """
    part = min([third(listed), *(session.terms.ttl / 3 for session in listed)], default=inf)
    urgent = urgent or any(not session.heard for session in listed)
    quick = quick or any(session.doubted for session in listed)
    wait = 0 if quick else int(min(URGENT_WAIT if urgent else LONGEST_WAIT, part))
    return wait, wait + min(LONGEST_PAUSE, part / 2)


def element(session: Session) -> dict[str, Any]:
    """What a request says of one claim."""
    body = session.terms.body()
    if session.grant is not None:
        body["fencingToken"] = session.grant.token
        if session.departing:
            body["ending"] = True
    elif session.place is not None:
        body["ticket"] = session.place.ticket
    return body

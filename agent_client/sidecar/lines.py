"""How a claim stands, as JSON for its client, and what ends it as a problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_client.session import Ending, Session, State
from agent_client.sidecar.problems import made, problem_json

if TYPE_CHECKING:
    from agent_client.messages import Problem

QUEUED, GRANTED, UNCONFIRMED, ENDING = "queued", "granted", "unconfirmed", "ending"
RELEASING, DORMANT = "releasing", "dormant"
HOLDING = frozenset({GRANTED, UNCONFIRMED})

ASKING = "asking the coordinator"
SILENCE = "no coordinator answers; asking again"
LOOKING_UP = "looking up what this sidecar held before it was started"

_STATES = {
    State.IDLE: QUEUED,
    State.WAITING: QUEUED,
    State.HELD: GRANTED,
    State.UNCONFIRMED: UNCONFIRMED,
    State.LOST: "lost",
    State.REFUSED: "refused",
}
_ENDINGS = {Ending.TIMEOUT: "timeout", Ending.UNAVAILABLE: "unavailable"}

Place = tuple[str, str]
"""Namespace and node."""


def state_of(session: Session, now: float) -> str:
    """The API's word for the session's state."""
    state = session.state_at(now)
    if state is State.RELEASED:
        return _ENDINGS.get(session.ending or Ending.LEFT, RELEASING)
    return GRANTED if not session.governed else _STATES[state]


def reason_of(session: Session, *, silent: bool) -> str:
    """Why a queued session waits."""
    if silent:
        return SILENCE
    return session.place.reason if session.place else ASKING


def shown(session: Session, now: float, *, silent: bool) -> tuple[object, ...]:
    """What of a session is worth a new line when it changes."""
    state = state_of(session, now)
    if state != QUEUED:
        grant = session.grant
        return (state, grant and (grant.slot, grant.lease, grant.token))
    place = session.place
    seen = (place.position, place.holders) if place else ()
    return (state, reason_of(session, silent=silent), *seen)


def line(
    session: Session, now: float, since: float, where: Place, *, silent: bool
) -> dict[str, Any]:
    """The session as one object. It was asked for at `since`."""
    state = state_of(session, now)
    if state == QUEUED:
        return _queued(session, reason_of(session, silent=silent), now - since)
    if state in HOLDING:
        return {"state": state, **_slot(session, where)}
    if (problem := problem_of(session)) is not None:
        return {"state": state, "problem": problem_json(problem)}
    return {"state": state}


def _queued(session: Session, reason: str, waited: float) -> dict[str, Any]:
    place = session.place
    return {
        "state": QUEUED,
        "position": place.position if place else None,
        "reason": reason,
        "holders": [holder.load for holder in place.holders] if place else [],
        "waitedSeconds": round(waited, 1),
    }


def _slot(session: Session, where: Place) -> dict[str, Any]:
    grant = session.grant
    return {
        "slot": grant.slot if grant else None,
        "lease": grant.lease if grant else None,
        "fencingToken": grant.token if grant else None,
        "governed": session.governed,
        "claim": session.claim,
        "namespace": where[0],
        "node": where[1],
    }


def problem_of(session: Session) -> Problem | None:
    """What ended the session, if it ended and not by its client's wish."""
    load = f"load {session.terms.load!r}"
    if session.state is State.LOST:
        lost = made(409, "slot-lost", f"the slot of {load} is no longer its own: stop the load")
        return session.problem or lost
    if session.state is State.REFUSED:
        return session.problem
    if session.ending is Ending.TIMEOUT:
        detail = f"{load} got no slot within {session.patience.timeout:g} s"
        place = f": position {session.place.position}" if session.place else ""
        return made(408, "slot-timeout", detail + place)
    if session.ending is Ending.UNAVAILABLE:
        after = session.patience.unavailable_after
        detail = f"no coordinator answered for {after:g} s, so {load} got no slot"
        return made(503, "no-coordinator", detail)
    return None

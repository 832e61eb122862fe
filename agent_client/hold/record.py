"""Where the load stands: as `hold.json` tells it to programs, and in sentences for people.

Pure. Times are seconds of CLOCK_BOOTTIME, which all processes of one machine share.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from agent_client.session import State

if TYPE_CHECKING:
    from agent_client.hold.holding import Holding
    from agent_client.messages import Problem
    from agent_client.session import Session
    from agent_client.settings import Settings

Record = dict[str, Any]

WAITING, HELD, UNCONFIRMED = "waiting", "held", "unconfirmed"
WITHOUT, REFUSED, UNAVAILABLE, LEFT = "without-slot", "refused", "unavailable", "left"
MAY_START = frozenset({HELD, WITHOUT})
"""In these states the Pod's own containers may start."""
NEVER = math.inf


def record(holding: Holding, settings: Settings, silence: str | None) -> Record:
    """How it is now. `silence`: what went wrong, while no coordinator answers."""
    session = holding.session
    return {
        "state": _state(holding, session),
        "load": session.terms.load,
        "namespace": settings.namespace,
        "node": settings.node,
        "url": settings.url,
        "claim": session.claim,
        "stem": holding.stem,
        "generation": holding.generation,
        "silence": silence,
        "losses": holding.losses,
        "loss": holding.loss,
        "ranWithout": holding.ran_without,
        **_place(session),
        **_grant(session),
        "problem": _problem(holding.problem),
    }


def _state(holding: Holding, session: Session) -> str:
    if not session.governed:
        return WITHOUT
    if holding.unavailable:
        return UNAVAILABLE
    known = {State.HELD: HELD, State.UNCONFIRMED: UNCONFIRMED, State.REFUSED: REFUSED}
    return known.get(session.state, WAITING)


def _place(session: Session) -> Record:
    place = session.place if session.grant is None else None
    return {
        "position": place.position if place else None,
        "reason": place.reason if place else None,
        "holders": [holder.load for holder in place.holders] if place else [],
    }


def _grant(session: Session) -> Record:
    grant = session.grant
    return {
        "slot": grant.slot if grant else None,
        "lease": grant.lease if grant else None,
        "fencingToken": grant.token if grant else None,
    }


def _problem(problem: Problem | None) -> Record | None:
    if problem is None:
        return None
    return {"type": problem.type, "status": problem.status, "detail": str(problem)}


def sentence(told: Record) -> str:
    """What the load does, as a sentence without its subject."""
    match told["state"]:
        case "held":
            return f"holds {_slot(told)}" + (f"; {_silence(told)}" if told["silence"] else "")
        case "unconfirmed":
            return f"may have lost {_slot(told)}: {_silence(told)}; it goes on as it is"
        case "without-slot":
            return f"runs without a slot of {told['node']}: no coordinator answered in time"
        case "refused":
            return f"was refused a slot of {_where(told)}: {told['problem']['detail']}"
        case "unavailable":
            return f"got no slot of {_where(told)}: {_silence(told)}"
        case "left":
            return f"no longer asks for a slot of {_where(told)}: hold was told to end"
    return f"waits for a slot of {_where(told)}: {_waits_for(told)}{_lost(told)}"


def _where(told: Record) -> str:
    return f"{told['node']} in pool {told['namespace']}"


def _slot(told: Record) -> str:
    return (
        f"slot {told['slot']} of {_where(told)} "
        f"(Lease {told['lease']}, fencing token {told['fencingToken']})"
    )


def _waits_for(told: Record) -> str:
    if told["silence"] is not None:
        return _silence(told)
    if told["position"] is None:
        return f"asking the coordinator at {told['url']}"
    held = f" (held by {', '.join(sorted(told['holders']))})" if told["holders"] else ""
    return f"position {told['position']}, {told['reason']}{held}"


def _silence(told: Record) -> str:
    return f"no coordinator answers at {told['url']} ({told['silence'] or 'too long'})"


def _lost(told: Record) -> str:
    if told["ranWithout"]:
        return "; it was let run without one when no coordinator answered"
    return f"; it had one and lost it: {told['loss']}" if told["losses"] else ""


def duration(seconds: float) -> str:
    """A length of time for people, in its two largest units."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    while len(parts) > 2 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{number} {unit}" for number, unit in parts[:2] if number) or "0 s"

"""The sync call's messages: what an agent writes, and what it understands of an answer.

Reading is strict about what a decision rests on (numbers, ids) and blind to everything else, so
that a newer coordinator may add fields. Nothing here does I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEMS = "https://nodeslots.io/problems/"
"""Every problem type of the coordinator starts with this; anything else is not its word."""


class MalformedError(ValueError):
    """An answer that is not what the protocol says; it counts as no answer."""


@dataclass(frozen=True, slots=True)
class Pod:
    """The Pod in which a load runs. `uid` may be unknown ("")."""

    namespace: str
    name: str
    uid: str = ""

    def body(self) -> dict[str, str]:
        """The Pod as the protocol writes it."""
        body = {"namespace": self.namespace, "name": self.name}
        return {**body, "uid": self.uid} if self.uid else body


@dataclass(frozen=True, slots=True)
class Terms:
    """What a claim asks for. The same claim id with other terms is refused. `ttl` in seconds."""

    claim: str
    load: str
    priority: int = 0
    ttl: int = 60
    pod: Pod | None = None

    def body(self) -> dict[str, Any]:
        """The claim as the protocol writes it, without ticket and token."""
        body: dict[str, Any] = {
            "claim": self.claim,
            "load": self.load,
            "priority": self.priority,
            "ttlSeconds": self.ttl,
        }
        if self.pod is not None:
            body["pod"] = self.pod.body()
        return body


@dataclass(frozen=True, slots=True)
class Problem:
    """An RFC 9457 problem. `fields`: what was wrong in the request; `retry_after` in seconds."""

    type: str
    title: str
    status: int
    detail: str
    fields: tuple[str, ...] = ()
    retry_after: float | None = None

    @property
    def name(self) -> str:
        """The last part of the type, for example "queue-full"."""
        return self.type.removeprefix(PROBLEMS)

    @property
    def passing(self) -> bool:
        """Whether asking again later can help (401, 408, 429 and 5xx).

        A 401 is about the token, which is replaced before it expires, and never about a claim.
        """
        return self.status in {401, 408, 429} or self.status >= 500

    def __str__(self) -> str:
        return self.detail or self.title or self.name


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim has the slot `slot` of its node. `ttl` in seconds."""

    slot: int
    lease: str
    token: int
    ttl: float


@dataclass(frozen=True, slots=True)
class Waiter:
    """One of the holders that a queued claim waits for, and since when; that is no news."""

    claim: str
    load: str
    seconds: float | None = field(default=None, compare=False)
    """How long it has held its slot, as far as the coordinator tells."""


@dataclass(frozen=True, slots=True)
class Queued:
    """The claim's place: `position` counts from 1, `ticket` keeps it across a new leader."""

    position: int
    ticket: str
    reason: str = ""
    holders: tuple[Waiter, ...] = ()


@dataclass(frozen=True, slots=True)
class Settling:
    """The outcome of a write is not known yet; ask again after `retry_after` seconds."""

    retry_after: float = 1.0


@dataclass(frozen=True, slots=True)
class Gone:
    """Definite: no slot is this claim's any more."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Rejected:
    """The claim was not taken; the problem says why."""

    problem: Problem


Told = Granted | Queued | Settling | Gone | Rejected
"""What an answer can say about one claim."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a sync: what it says per claim id, and which releases are committed."""

    term: int
    told: Mapping[str, Told]
    released: tuple[str, ...] = ()
    retry_after: float | None = None
    not_released: tuple[str, ...] = ()
    """Releases of claims that are somebody else's: there is nothing to give back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as a transport hands it over; `retry_after` is the header, in seconds."""

    status: int
    payload: object
    retry_after: float | None = None


def read_reply(reply: Reply) -> Answer | Problem:
    """The meaning of `reply`.

    Raises:
        MalformedError: it is neither an answer nor a problem of the coordinator.
    """
    if reply.status == 200:
        return read_answer(reply.payload)
    problem = read_problem(reply.payload)
    if reply.status != problem.status or problem.retry_after is None:
        after = problem.retry_after if problem.retry_after is not None else reply.retry_after
        return Problem(
            problem.type, problem.title, reply.status, problem.detail, problem.fields, after
        )
    return problem


def said(reply: Reply) -> str:
    """What a reply that is no good answer says, for people."""
    try:
        problem: object = read_problem(reply.payload)
    except MalformedError:
        return f"HTTP {reply.status}"
    return f"HTTP {reply.status}: {problem}"


def read_answer(payload: object) -> Answer:
    """The sync answer in `payload`; raises `MalformedError`."""
    body = _object(payload)
    told = {_text(item, "claim"): _told(item) for item in map(_object, _array(body, "claims"))}
    released = _array(body, "released")
    if not all(isinstance(claim, str) for claim in released):
        raise MalformedError("released holds something that is no claim id")
    others = {_text(item, "claim") for item in map(_object, _array(body, "notReleased"))}
    return Answer(
        _int(body, "term"),
        told,
        tuple(released),
        _seconds(body.get("retryAfter")),
        tuple(sorted(others)),
    )


def read_problem(payload: object) -> Problem:
    """The problem in `payload`; raises `MalformedError` when it is not one of the coordinator's."""
    body = _object(payload)
    kind = _text(body, "type")
    if not kind.startswith(PROBLEMS):
        raise MalformedError(f"a problem of an unknown type {kind!r}")
    errors = body.get("errors")
    items = errors if isinstance(errors, list) else []
    fields = tuple(str(item.get("field", "")) for item in items if isinstance(item, dict))
    title, detail = str(body.get("title", "")), str(body.get("detail", ""))
    after = _seconds(body.get("retryAfter"))
    return Problem(kind, title, _int(body, "status"), detail, fields, after)


def claims_blamed(problem: Problem) -> frozenset[int]:
    """Indexes of the claims that the problem's `errors` point at, as in "claims[2].priority"."""
    found = (re.match(r"(?:body\.)?claims\[?\.?(\d+)", field) for field in problem.fields)
    return frozenset(int(match[1]) for match in found if match)


def _told(item: dict[str, Any]) -> Told:
    state = _text(item, "state")
    if state == "granted":
        token, ttl = _int(item, "fencingToken"), float(_int(item, "ttlSeconds"))
        return Granted(_int(item, "slot"), _text(item, "lease"), token, ttl)
    if state == "queued":
        ticket, reason = _text(item, "ticket"), str(item.get("reason", ""))
        return Queued(_int(item, "position"), ticket, reason, _holders(item))
    if state == "settling":
        problem = item.get("problem")
        after = _seconds(problem.get("retryAfter")) if isinstance(problem, dict) else None
        return Settling(1.0 if after is None else after)
    if state == "lost":
        return Gone(read_problem(item.get("problem")))
    if state == "refused":
        return Rejected(read_problem(item.get("problem")))
    raise MalformedError(f"a claim in the unknown state {state!r}")


def _holders(item: dict[str, Any]) -> tuple[Waiter, ...]:
    """Holders are shown to people only, so a broken one is left out rather than refused."""
    holders = item.get("holders")
    found = holders if isinstance(holders, list) else []
    return tuple(
        Waiter(
            str(holder.get("claim", "")),
            str(holder.get("load", "")),
            _seconds(holder.get("heldSeconds")),
        )
        for holder in found
        if isinstance(holder, dict)
    )


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError(f"expected a JSON object, got {type(value).__name__}")
    return value


def _array(body: dict[str, Any], name: str) -> list[Any]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise MalformedError(f"{name} is no array")
    return value


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise MalformedError(f"{name} is no string")
    return value


def _int(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedError(f"{name} is no integer")
    return value


def _seconds(value: object) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return float(value) if good else None  # type: ignore[arg-type]

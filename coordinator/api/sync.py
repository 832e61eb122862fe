"""The call that agents use: all claims of one agent, and the ids that it releases, in one request.

Each claim is judged by itself. A claim that cannot be read is refused in its own place of the
answer, as long as it has a readable id, so that the others are renewed all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from coordinator.api.again import said_again
from coordinator.api.answers import Elements, SyncJson, refused, troubled
from coordinator.api.bodies import parse, path_values, read_json
from coordinator.api.claimant import claimant
from coordinator.api.exchange import COORDINATOR, UNKNOWN_FIELDS, json_response, service_problem
from coordinator.api.problems import Problem
from coordinator.api.schemas import (
    WAIT_SHARE,
    Body,
    ClaimId,
    SyncBody,
    SyncClaim,
    shortened,
    unknown_fields,
)
from coordinator.api.shares import SHARE
from coordinator.core.model import Speaker
from coordinator.service.asked import SyncRequest
from coordinator.service.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aiohttp import web

    from coordinator.api.answers import TroubledJson
    from coordinator.api.claimant import Claimant
    from coordinator.core.claims import Claim
    from coordinator.core.messages import Ask
    from coordinator.service.asked import SyncAnswer
    from coordinator.service.pool import Pool

LARGEST_SYNC = 2 * 1024 * 1024
"""Bytes. A thousand claims and releases with the longest names of everything fit."""


class _Identified(Body):
    """As much of a claim as it takes to refuse it in its own place."""

    claim: ClaimId


@dataclass(slots=True)
class _Reading:
    """A sync's claims as far as they can be read; its `asks` go on with the request."""

    speaker: Speaker
    """Who says so, under this number:"""
    poll: int
    known: Mapping[str, Claim]
    """What the node's table has of claims: what is said again need not be read again."""
    ids: list[str] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, value: Any, path: str) -> None:
        """Read one claim. Raises `Problem` when not even its id can be read."""
        again = said_again(value, self.known, self.speaker, self.poll)
        if again is not None:
            self.asks.append(again)
            self.ids.append(again.claim)
            return
        try:
            body = parse(SyncClaim, value, path)
        except Problem as problem:
            claim = parse(_Identified, value, path).claim
            self.problems[claim] = problem
        else:
            claim = body.claim
            self.asks.append(body.ask(claim, self.poll, self.speaker))
            self.unknown += [f"{path}.{name}" for name in unknown_fields(body)]
        self.ids.append(claim)


async def sync(request: web.Request) -> web.Response:
    """Renew, keep places, release; answered at once with news, else within `waitSeconds`."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    node, body = path["node"], await read_json(request, LARGEST_SYNC)
    asker = claimant(request, pool, node)
    if SHARE in request:
        request[SHARE].grow(_size(body))
    answering = answer_sync(pool, node, body, asker)
    del body  # as there: else it would be kept here
    answer, request[UNKNOWN_FIELDS] = await answering
    return json_response(answer)


def _size(body: Any) -> int:
    """How many claims and releases stand in a body that nobody has checked yet."""
    if not isinstance(body, dict):
        return 0
    parts = (body.get("claims"), body.get("releases"))
    return sum(len(part) for part in parts if isinstance(part, list))


async def answer_sync(
    pool: Pool, node: str, body: Any, asker: Claimant | None = None
) -> tuple[SyncJson, list[str]]:
    """The answer to a sync whose JSON value is `body`, and the fields of it that nobody knows.

    All of the call but its I/O, so that it can be asked without a socket. Without an `asker`
    everything may be asked for. Raises `Problem`.
    """
    asked, reading = _take_in(pool, node, body, asker.agent.owner if asker is not None else "")
    del body  # thousands wait: of each only what its answer is made of is kept
    if asker is not None:
        asked = await _judged(asker, asked, reading)
    answering = pool.sync(node, asked)
    del asked
    try:
        answer = await answering
    except ServiceError as error:
        raise service_problem(error) from error
    return _answer(reading, answer, node, pool.wall()), reading.unknown


def _take_in(pool: Pool, node: str, value: Any, owner: str) -> tuple[SyncRequest, _Reading]:
    body = parse(SyncBody, value)
    speaker = Speaker(body.agent, body.boot, owner)
    reading = _Reading(speaker, pool.next_poll(), pool.known(node))
    _read(body, reading)
    reading.unknown = shortened(unknown_fields(body) + reading.unknown)
    return _request(body, reading), reading


def _read(body: SyncBody, reading: _Reading) -> None:
    for index, value in enumerate(body.claims):
        reading.add(value, f"claims[{index}]")
    _once(reading.ids, "claims")
    _once(body.releases, "releases")
    both = set(body.releases).intersection(reading.ids)
    if both:
        first = next(i for i, claim in enumerate(body.releases) if claim in both)
        raise _twice(f"releases[{first}]", "is asked for in `claims` as well")


def _once(ids: list[str], where: str) -> None:
    if len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    for index, claim in enumerate(ids):
        if claim in seen:
            raise _twice(f"{where}[{index}]", "stands here twice; one id is one claim")
        seen.add(claim)


def _twice(field: str, detail: str) -> Problem:
    return Problem("malformed", f"{field}: {detail}", fields=((field, detail),))


def _request(body: SyncBody, reading: _Reading) -> SyncRequest:
    """A claim refused here is an answer in itself: then nobody waits."""
    asks, reading.asks = tuple(reading.asks), []
    held = [ask.terms.ttl / WAIT_SHARE for ask in asks if ask.token is not None]
    return SyncRequest(
        speaker=reading.speaker,
        sequence=body.sequence,
        wait=0.0 if reading.problems else min([body.waitSeconds, *held]),
        poll=reading.poll,
        asks=asks,
        releases=tuple(body.releases),
    )


async def _judged(asker: Claimant, asked: SyncRequest, reading: _Reading) -> SyncRequest:
    """The request without the claims that may not be asked for, which are problems from then on."""
    judged = await asker.judge(asked.asks)
    for claim, problem in judged.problems.items():
        reading.problems[claim] = problem.within(f"claims[{reading.ids.index(claim)}]")
    return replace(
        asked,
        asks=tuple(judged.asks),
        wait=0.0 if judged.problems else asked.wait,
    )


def _answer(reading: _Reading, answer: SyncAnswer, node: str, at: datetime) -> SyncJson:
    views = iter(answer.claims)  # of those without a problem, in order
    elements = Elements(node, answer.term, at)
    told = SyncJson(
        term=answer.term,
        sequence=answer.sequence,
        claims=[
            _turned_down(claim, reading.problems[claim])
            if claim in reading.problems
            else elements.of(next(views), claim)
            for claim in reading.ids
        ],
        released=list(answer.released),
    )
    if answer.others:
        others = ((str(other), refused(other, str(other), node)) for other in answer.others)
        told["notReleased"] = [troubled(claim, "refused", problem) for claim, problem in others]
    return told


def _turned_down(claim: str, problem: Problem) -> TroubledJson:
    """What can be otherwise in a moment is to be asked for again."""
    passing = problem.kind.status == HTTPStatus.SERVICE_UNAVAILABLE
    return troubled(claim, "settling" if passing else "refused", problem)

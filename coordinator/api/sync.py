"""The call that agents use: all claims of one agent, and the ids that it releases, in one request.

Each claim is judged by itself. A claim that cannot be read is refused in its own place of the
answer, as long as it has a readable id, so that the others are renewed all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from coordinator.api.answers import SyncJson, element, refused, troubled
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
from coordinator.service.asking import SyncRequest
from coordinator.service.errors import ServiceError

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from coordinator.api.answers import TroubledJson
    from coordinator.api.claimant import Claimant
    from coordinator.core.messages import Ask
    from coordinator.service.asking import SyncAnswer
    from coordinator.service.pool import Pool

LARGEST_SYNC = 2 * 1024 * 1024
"""Bytes. A thousand claims and releases with the longest names of everything fit."""


class _Identified(Body):
    claim: ClaimId


@dataclass(slots=True)
class _Reading:
    """A sync's claims as far as they can be read."""

    ids: list[str] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    problems: dict[str, Problem] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    def add(self, value: Any, path: str) -> None:
        """Read one claim. Raises `Problem` when not even its id can be read."""
        claim = parse(_Identified, value, path).claim
        self.ids.append(claim)
        try:
            body = parse(SyncClaim, value, path)
        except Problem as problem:
            self.problems[claim] = problem
        else:
            self.asks.append(body.ask())
            self.unknown += unknown_fields(body, f"{path}.")


async def sync(request: web.Request) -> web.Response:
    """Renew, keep places, release; answered at once with news, else within `waitSeconds`."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    node, body = path["node"], await read_json(request, LARGEST_SYNC)
    asker = claimant(request, pool, node)
    if SHARE in request:
        request[SHARE].grow(_size(body))
    answer, request[UNKNOWN_FIELDS] = await answer_sync(pool, node, body, asker)
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
    asked, reading = _take_in(body)
    del body  # what nobody knows of it must not be kept while this one waits
    if asker is not None:
        asked = await _judged(asker, asked, reading)
    try:
        answer = await pool.sync(node, asked)
    except ServiceError as error:
        raise service_problem(error) from error
    return _answer(reading, answer, node, pool.wall()), reading.unknown


def _take_in(value: Any) -> tuple[SyncRequest, _Reading]:
    body = parse(SyncBody, value)
    reading = _read(body)
    reading.unknown = shortened(unknown_fields(body) + reading.unknown)
    return _request(body, reading), reading


def _read(body: SyncBody) -> _Reading:
    reading = _Reading()
    for index, value in enumerate(body.claims):
        reading.add(value, f"claims[{index}]")
    _once(reading.ids, "claims")
    _once(body.releases, "releases")
    both = [i for i, claim in enumerate(body.releases) if claim in set(reading.ids)]
    if both:
        raise _twice(f"releases[{both[0]}]", "is asked for in `claims` as well")
    return reading


def _once(ids: list[str], where: str) -> None:
    seen: set[str] = set()
    for index, claim in enumerate(ids):
        if claim in seen:
            raise _twice(f"{where}[{index}]", "stands here twice; one id is one claim")
        seen.add(claim)


def _twice(field: str, detail: str) -> Problem:
    return Problem("malformed", f"{field}: {detail}", fields=((field, detail),))


def _request(body: SyncBody, reading: _Reading) -> SyncRequest:
    """A claim refused here is an answer in itself: then nobody waits."""
    held = [ask.terms.ttl / WAIT_SHARE for ask in reading.asks if ask.token is not None]
    return SyncRequest(
        agent=body.agent,
        boot=body.boot,
        sequence=body.sequence,
        wait=0.0 if reading.problems else min([body.waitSeconds, *held]),
        asks=tuple(reading.asks),
        releases=tuple(body.releases),
    )


async def _judged(asker: Claimant, asked: SyncRequest, reading: _Reading) -> SyncRequest:
    """The request without the claims that may not be asked for, which are problems from then on."""
    judged = await asker.judge(asked.asks)
    for claim, problem in judged.problems.items():
        reading.problems[claim] = problem.within(f"claims[{reading.ids.index(claim)}]")
    reading.asks = judged.asks
    return replace(
        asked,
        asks=tuple(judged.asks),
        owner=asker.agent.owner,
        wait=0.0 if judged.problems else asked.wait,
    )


def _answer(reading: _Reading, answer: SyncAnswer, node: str, at: datetime) -> SyncJson:
    views = dict(zip((ask.claim for ask in reading.asks), answer.claims, strict=True))
    told = SyncJson(
        term=answer.term,
        sequence=answer.sequence,
        claims=[
            _turned_down(claim, reading.problems[claim])
            if claim in reading.problems
            else element(views[claim], claim, node, answer.term, at)
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

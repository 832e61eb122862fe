"""One claim by itself: ask, look, release. For scripts and people; agents use the sync call."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.answers import granted_json, holders_json, problem_of, queued_json, refused
from coordinator.api.bodies import parse, path_values, read_json
from coordinator.api.claimant import claimant, owner_of
from coordinator.api.exchange import COORDINATOR, UNKNOWN_FIELDS, json_response
from coordinator.api.explain import explained_grant_json, explained_wait_json
from coordinator.api.problems import Problem
from coordinator.api.schemas import WAIT_SHARE, ClaimBody, shortened, unknown_fields
from coordinator.core.refusals import Refusal
from coordinator.core.views import Granted, Queued, Released

if TYPE_CHECKING:
    from coordinator.core.messages import Ask
    from coordinator.core.views import View
    from coordinator.service.pool import Pool

LARGEST_CLAIM = 64 * 1024
"""Bytes of a PUT's body."""
RELEASE_WAIT = 5.0
"""Seconds that a DELETE waits for its write before it answers 503 `settling`."""


async def put_claim(request: web.Request) -> web.Response:
    """Ask for a slot, keep the place in the queue, or renew. 200 granted, 202 queued."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    ask, wait = await _asked(request, path["claim"])
    if asker := claimant(request, pool, path["node"]):
        ask = await asker.judge_one(ask)
    try:
        view = await pool.ask(path["node"], ask, _bounded(pool, path["node"], ask, wait))
    except Refusal as refusal:
        raise refused(refusal, ask.claim, path["node"]) from None
    return _state(view, pool, path["node"])


async def _asked(request: web.Request, claim: str) -> tuple[Ask, float]:
    """What is asked for, and for how long at most; nothing else of the body is kept meanwhile."""
    body = parse(ClaimBody, await read_json(request, LARGEST_CLAIM))
    request[UNKNOWN_FIELDS] = shortened(unknown_fields(body))
    return body.ask(claim), body.waitSeconds


def _bounded(pool: Pool, node: str, ask: Ask, wait: float) -> float:
    """A holder's wait ends in time for its next renewal."""
    holds = ask.token is not None or isinstance(pool.look(node, ask.claim), Granted)
    return min(wait, ask.terms.ttl / WAIT_SHARE) if holds else wait


async def get_claim(request: web.Request) -> web.Response:
    """The claim's state and why, without asking: neither a place in the queue nor a renewal."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    node, claim = path["node"], path["claim"]
    view = pool.look(node, claim)
    if view is None:
        raise Problem("unknown-claim", f"{node} knows no claim {claim}; PUT it to ask for a slot")
    if isinstance(view, Granted):
        why = pool.insight.why_claim(node, claim)
        return json_response(explained_grant_json(view, pool.term, why))
    if isinstance(view, Queued):
        why = pool.insight.why_claim(node, claim)
        return json_response(explained_wait_json(view, pool.term, pool.wall(), why))
    raise problem_of(view, node)


async def delete_claim(request: web.Request) -> web.Response:
    """Release the slot, or leave the queue. 204 once that is certain, 503 before."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    node, claim = path["node"], path["claim"]
    try:
        view = await pool.leave(node, claim, RELEASE_WAIT, owner_of(request))
    except Refusal as refusal:
        raise refused(refusal, claim, node) from None
    if isinstance(view, Released):
        return web.Response(status=HTTPStatus.NO_CONTENT)
    return _state(view, pool, node)


def _state(view: View, pool: Pool, node: str) -> web.Response:
    if isinstance(view, Granted):
        return json_response(granted_json(view, pool.term))
    if isinstance(view, Queued):
        return json_response(
            queued_json(view, pool.term, holders_json(view, pool.wall())), HTTPStatus.ACCEPTED
        )
    raise problem_of(view, node)

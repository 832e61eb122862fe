"""Lists, filtered and a page at a time: a pool's nodes, and its claims."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import orjson
from pydantic import TypeAdapter, ValidationError

from coordinator.api.claim_rows import ClaimsJson, row_json
from coordinator.api.exchange import json_response
from coordinator.api.pools import ready_pool, require_ready
from coordinator.api.queries import choices, mark_of, names, page_mark, page_size, refuse_mark
from coordinator.api.reports import NodesJson, summary_json
from coordinator.core.listing import STATES, Place, Wanted
from coordinator.service.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp import web

    from coordinator.core.listing import ClaimRow
    from coordinator.service.pool import Pool
    from coordinator.service.status import NodeCounts

NODE_STATES: dict[str, Callable[[NodeCounts], bool]] = {
    "queued": lambda node: node.queued > 0,
    "full": lambda node: node.held >= node.limit,
    "free": lambda node: node.held < node.limit,
    "held": lambda node: node.held > 0,
    "unresponsive": lambda node: node.unresponsive > 0,
    "over-limit": lambda node: node.held > node.limit,
    "on-hold": lambda node: bool(node.hold),
}
"""What `state` asks of a node."""

_Mark = tuple[str, Place]
_MARK: TypeAdapter[_Mark] = TypeAdapter(_Mark)


async def get_nodes(request: web.Request) -> web.Response:
    """The pool's nodes by name, a page at a time."""
    query, pool = request.query, ready_pool(request)
    most, after = page_size(query), page_mark(query)
    wanted = names(query, "node")
    tests = [NODE_STATES[state] for state in sorted(choices(query, "state", NODE_STATES))]
    known = [node for node in pool.nodes() if not wanted or node in wanted]
    rest = known[bisect_right(known, after) if after else 0 :]
    page, more = await _counted(pool, rest, tests, most)
    require_ready(pool)
    body = NodesJson(nodes=[summary_json(node) for node in page])
    if more:
        body["continue"] = mark_of(page[-1].node)
    return json_response(body)


async def _counted(
    pool: Pool, nodes: Iterable[str], tests: list[Callable[[NodeCounts], bool]], most: int
) -> tuple[list[NodeCounts], bool]:
    """The first of the nodes that pass one of the tests, and whether there are more."""
    turns, page = Turns(), list[str]()
    for node in nodes:
        await turns.give()
        if tests and not _passes(pool.tally.of(node), tests):
            continue
        if len(page) == most:
            return [pool.count(one) for one in page], True
        page.append(node)
    return [pool.count(one) for one in page], False


def _passes(counts: NodeCounts | None, tests: list[Callable[[NodeCounts], bool]]) -> bool:
    return counts is not None and any(test(counts) for test in tests)


async def get_claims(request: web.Request) -> web.Response:
    """The pool's claims by node, slot and position, a page at a time."""
    query, pool = request.query, ready_pool(request)
    most, after = page_size(query), _claims_mark(page_mark(query))
    wanted = Wanted(
        names(query, "node"),
        choices(query, "state", STATES),
        query.get("pod", ""),
        query.get("load", ""),
        query.get("claim", ""),
    )
    rows, more = await pool.listing.claims(wanted, after, most)
    require_ready(pool)
    at = pool.wall()
    body = ClaimsJson(claims=[row_json(row, at) for row in rows])
    if more:
        body["continue"] = _mark(rows[-1])
    return json_response(body)


def _mark(row: ClaimRow) -> str:
    return mark_of(orjson.dumps((row.node, row.place)).decode())


def _claims_mark(text: str) -> _Mark | None:
    try:
        return _MARK.validate_json(text, strict=True) if text else None
    except ValidationError:
        refuse_mark()

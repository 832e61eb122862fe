"""Looking without asking: the coordinator, a pool, its nodes, one node, the metrics."""

from __future__ import annotations

import base64
from bisect import bisect_right
from importlib.metadata import version
from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.access import listable
from coordinator.api.bodies import path_values
from coordinator.api.exchange import COORDINATOR, DOCUMENT, METRICS, json_response
from coordinator.api.problems import Problem
from coordinator.api.reports import (
    NodesJson,
    PoolJson,
    StatusJson,
    config_json,
    leader_json,
    movers_json,
    node_json,
    summary_json,
    totals_json,
)
from coordinator.service.errors import NotReady
from coordinator.service.metrics import CONTENT_TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.service.pool import Pool

DEFAULT_PAGE, LONGEST_PAGE = 100, 500
"""Nodes in one answer."""


async def get_status(request: web.Request) -> web.Response:
    """Version, who leads, readiness, and the config and totals of each pool that you may list."""
    coordinator = request.app[COORDINATOR]
    told = coordinator.ready()
    checks = {name: told[name] for name in await listable(request, told)}
    pools = coordinator.pools
    body = StatusJson(
        version=version("node-slots"),
        answeredBy=coordinator.identity,
        leading=coordinator.leading,
        leader=leader_json(coordinator.leader),
        ready=not any(checks.values()),
        checks=checks,
        pools=[pool_json(pools[name]) for name in sorted(checks) if name in pools],
    )
    return json_response(body)


async def get_pool(request: web.Request) -> web.Response:
    """One pool's config and totals."""
    path = path_values(request)
    return json_response(pool_json(request.app[COORDINATOR].pool(path["namespace"])))


def pool_json(pool: Pool) -> PoolJson:
    """The pool as far as it is known; no totals before the first complete picture."""
    why = pool.ready()
    return PoolJson(
        namespace=pool.namespace,
        term=pool.term,
        ready=not why,
        reason=why,
        config=config_json(pool.config()),
        totals=None if why else totals_json(pool.totals()),
        movers=movers_json(pool.movers.status()),
    )


async def get_nodes(request: web.Request) -> web.Response:
    """The pool's nodes by name, a page at a time."""
    path = path_values(request)
    limit, after = _page(request.query)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    if why := pool.ready():
        raise NotReady(f"pool {pool.namespace} is not ready: {why}")
    names = pool.nodes()
    begin = bisect_right(names, after) if after else 0
    page = names[begin : begin + limit]
    body = NodesJson(nodes=[summary_json(pool.count(name)) for name in page])
    if begin + limit < len(names):
        body["continue"] = base64.urlsafe_b64encode(page[-1].encode()).decode()
    return json_response(body)


async def get_node(request: web.Request) -> web.Response:
    """One node: limit, deciding rule, slots, queue."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    return json_response(node_json(pool.node(path["node"]), pool.wall()))


async def get_openapi(request: web.Request) -> web.Response:
    """The OpenAPI document of all routes."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


async def get_metrics(request: web.Request) -> web.Response:
    """This replica's metrics in the Prometheus text format."""
    body = request.app[METRICS].render()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


def _page(query: Mapping[str, str]) -> tuple[int, str]:
    """How many nodes, and after which name. Raises `Problem`."""
    return _limit(query.get("limit", str(DEFAULT_PAGE))), _after(query.get("continue", ""))


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _bad("malformed", "query.limit", "must be a whole number")
    if len(text) > 6 or not 1 <= int(text) <= LONGEST_PAGE:
        raise _bad("out-of-range", "query.limit", f"must be between 1 and {LONGEST_PAGE}")
    return int(text)


def _after(text: str) -> str:
    try:
        return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except ValueError:
        detail = "is no `continue` of an earlier answer; leave it out to begin anew"
        raise _bad("malformed", "query.continue", detail) from None


def _bad(name: str, field: str, detail: str) -> Problem:
    return Problem(name, f"{field}: {detail}", fields=((field, detail),))

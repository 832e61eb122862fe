"""Looking without asking: the coordinator, a pool, one node, the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.access import listable
from coordinator.api.bodies import path_values
from coordinator.api.exchange import COORDINATOR, DOCUMENT, METRICS, json_response
from coordinator.api.explain import pool_why_json
from coordinator.api.reports import (
    PoolJson,
    StatusJson,
    config_json,
    leader_json,
    movers_json,
    node_json,
    totals_json,
)
from coordinator.service.metrics import CONTENT_TYPE
from coordinator.service.status import VERSION

if TYPE_CHECKING:
    from coordinator.service.pool import Pool


async def get_status(request: web.Request) -> web.Response:
    """Version, who leads, readiness, and the config and totals of each pool that you may list."""
    coordinator = request.app[COORDINATOR]
    seen = await listable(request, coordinator.ready())
    told, pools = coordinator.ready(), coordinator.pools  # of one moment: nothing waits from here
    checks = {name: told[name] for name in seen if name in told}
    body = StatusJson(
        version=VERSION,
        answeredBy=coordinator.identity,
        leading=coordinator.leading,
        leader=leader_json(coordinator.leader),
        ready=bool(checks) and not any(checks.values()),
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
        totals=None if why else totals_json(pool.tally.totals()),
        movers=movers_json(pool.movers.status()),
        why=pool_why_json(pool.insight.why_pool(why)),
    )


async def get_node(request: web.Request) -> web.Response:
    """One node: limit, deciding rule, slots, queue."""
    path = path_values(request)
    pool = request.app[COORDINATOR].pool(path["namespace"])
    node = path["node"]
    return json_response(node_json(pool.node(node), pool.wall(), pool.insight.why_node(node)))


async def get_openapi(request: web.Request) -> web.Response:
    """The OpenAPI document of all routes."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


async def get_metrics(request: web.Request) -> web.Response:
    """This replica's metrics in the Prometheus text format."""
    body = request.app[METRICS].render()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

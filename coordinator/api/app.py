"""The two HTTP applications, and their listeners: the API, and health."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from coordinator.api.access import NEEDS, admitted
from coordinator.api.admission import MOST_REVIEWS, REVIEWS, SIDECAR, admit_mover
from coordinator.api.bodies import INTAKE, Intake
from coordinator.api.connections import CONNECTIONS, READ_SIZE, Connections, guarded
from coordinator.api.events import MOST_STREAMS, STREAMS
from coordinator.api.exchange import COORDINATOR, DOCUMENT, METRICS, exchange
from coordinator.api.garbled import reticent
from coordinator.api.health import TROUBLES
from coordinator.api.openapi import document
from coordinator.api.page import ASSETS, assets
from coordinator.api.places import Places
from coordinator.api.preview import MOST_AT_ONCE, PREVIEWS
from coordinator.api.proxy import EVERYWHERE, TRUST, follow, proxying
from coordinator.api.routes import ADMISSION, API, HEALTH, PAGE
from coordinator.api.secured import securing
from coordinator.api.shares import SHARES, Shares
from coordinator.api.sockets import place, url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp.typedefs import Middleware

    from coordinator.api.health import Troubles
    from coordinator.api.proxy import Trust
    from coordinator.api.route import Route
    from coordinator.api.secured import Tls
    from coordinator.injection import Sidecar
    from coordinator.service.coordinator import Coordinator
    from coordinator.service.metrics import Metrics

KEEP_ALIVE = 75.0
"""Seconds that an idle connection is kept. More than the longest pause of an agent between two
requests (a third of the usual TTL), so that renewals do not pay for a new connection each."""

BACKLOG = 1024
"""Connections that may wait to be let in: after a restart all agents come at once."""

LINGER = 1.0
"""Seconds that the rest of a refused body is read before the connection is closed."""


def api_app(
    coordinator: Coordinator,
    metrics: Metrics,
    trust: Trust | None = None,
    injection: Sidecar | None = None,
) -> web.Application:
    """The REST API. The leader judges the callers of those who follow; they pass tokens on.

    With `trust` they do so over TLS only, to a leader that it verifies. With `injection` there is a
    webhook that puts this sidecar into Velero's mover Pods.
    """
    routes = (*_routes(injecting=injection is not None), *PAGE)
    app = _app(routes, follow, admitted)
    app[COORDINATOR] = coordinator
    app[METRICS] = metrics
    app[NEEDS] = {route.handler: route.need for route in routes}
    app[EVERYWHERE] = frozenset(route.handler for route in routes if route.everywhere)
    app[DOCUMENT] = _document(injecting=injection is not None)
    app[TRUST] = trust
    app[SHARES] = Shares()
    app[STREAMS] = Places(MOST_STREAMS, "streams of events")
    app[PREVIEWS] = Places(MOST_AT_ONCE, "previews")
    app[ASSETS] = assets()
    app.cleanup_ctx.append(proxying)
    if injection:
        app[SIDECAR], app[REVIEWS] = injection, Intake(MOST_REVIEWS)
        app.on_response_prepare.append(_admission_once)
    return app


def health_app(coordinator: Coordinator, troubles: Troubles = dict) -> web.Application:
    """Health, for probes, which show no token; `troubles` are asked beside the coordinator.

    Each connection is closed with its answer: whoever kept all of them would keep the kubelet out,
    which then kills the coordinator.
    """
    app = _app(HEALTH)
    app.on_response_prepare.append(_once)
    app[TROUBLES] = troubles
    app[COORDINATOR] = coordinator
    return app


async def _once(_request: web.Request, response: web.StreamResponse) -> None:
    response.force_close()
    response.headers["Connection"] = "close"  # the library has set the others by now


async def _admission_once(request: web.Request, response: web.StreamResponse) -> None:
    """Good answers and problems alike."""
    if request.match_info.handler is admit_mover:
        await _once(request, response)


def _routes(*, injecting: bool) -> tuple[Route, ...]:
    return (*API, *ADMISSION) if injecting else API


@cache
def _document(*, injecting: bool) -> bytes:
    return orjson.dumps(document(_routes(injecting=injecting)))


def _app(routes: Sequence[Route], *middlewares: Middleware) -> web.Application:
    app = web.Application(middlewares=[guarded, exchange, *middlewares])
    app[INTAKE] = Intake()
    for route in routes:
        app.router.add_route(route.method, route.path, route.handler)
    return app


@dataclass(slots=True)
class Listener:
    """A running server; `url` is where it really listens."""

    runner: web.AppRunner
    server: asyncio.Server
    url: str

    async def close(self) -> None:
        """Take no more connections, give running answers a moment, and close all of them."""
        self.server.close()
        await self.runner.cleanup()
        self.runner.app[CONNECTIONS].close()
        await asyncio.sleep(0)  # closed transports let go of their sockets a round later


async def listen(
    app: web.Application,
    address: str,
    port: int,
    connections: Connections | None = None,
    tls: Tls | None = None,
) -> Listener:
    """Serve the application, with `tls` over that; port 0 takes a free one. Raises `OSError`.

    The address `all` is every one of this machine, of IPv4 and IPv6.
    """
    guards = app[CONNECTIONS] = Connections() if connections is None else connections
    guards.allow()
    runner = web.AppRunner(
        app,
        handler_cancellation=True,  # a caller that went away waits no longer (promise P8)
        keepalive_timeout=KEEP_ALIVE,
        lingering_time=LINGER,
        read_bufsize=READ_SIZE,
        shutdown_timeout=1.0,
        access_log=None,  # `exchange` logs requests, with the rest of the log
        auto_decompress=False,  # compressed bodies are refused, so none is ever unpacked
    )
    await runner.setup()
    try:
        guard = guards.guarding(_protocols(runner))
        server = await asyncio.get_running_loop().create_server(
            securing(guards, guard, tls) if tls else guard,
            **place(address, port, BACKLOG),
        )
    except BaseException:
        await runner.cleanup()
        raise
    return Listener(runner, server, url_of(server, secure=tls is not None))


def _protocols(runner: web.AppRunner) -> Callable[[], asyncio.BaseProtocol]:
    if runner.server is None:
        raise RuntimeError("the runner was not set up")
    return reticent(runner.server)

"""The two HTTP applications, and their listeners: the API, and health with metrics."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from coordinator.api.bodies import INTAKE, Intake
from coordinator.api.connections import CONNECTIONS, READ_SIZE, Connections, guarded
from coordinator.api.exchange import COORDINATOR, DOCUMENT, exchange
from coordinator.api.health import METRICS
from coordinator.api.openapi import document
from coordinator.api.proxy import follow, proxying
from coordinator.api.routes import API, HEALTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp.typedefs import Middleware

    from coordinator.api.routes import Route
    from coordinator.service.coordinator import Coordinator
    from coordinator.service.metrics import Metrics

KEEP_ALIVE = 75.0
"""Seconds that an idle connection is kept. More than the longest pause of an agent between two
requests (a third of the usual TTL), so that renewals do not pay for a new connection each."""

BACKLOG = 1024
"""Connections that may wait to be let in: after a restart all agents come at once."""

LINGER = 1.0
"""Seconds that the rest of a refused body is read before the connection is closed."""


def api_app(coordinator: Coordinator) -> web.Application:
    """The REST API."""
    app = _app(API, follow)
    app[COORDINATOR] = coordinator
    app[DOCUMENT] = _document()
    app.cleanup_ctx.append(proxying)
    return app


def health_app(coordinator: Coordinator, metrics: Metrics) -> web.Application:
    """Health and metrics."""
    app = _app(HEALTH)
    app[COORDINATOR] = coordinator
    app[METRICS] = metrics
    return app


@cache
def _document() -> bytes:
    return orjson.dumps(document())


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


async def listen(
    app: web.Application, address: str, port: int, connections: Connections | None = None
) -> Listener:
    """Serve the application; port 0 takes a free one. Raises `OSError`."""
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
        server = await asyncio.get_running_loop().create_server(
            guards.guarding(_protocols(runner)), address, port, backlog=BACKLOG
        )
    except BaseException:
        await runner.cleanup()
        raise
    return Listener(runner, server, _url(server))


def _protocols(runner: web.AppRunner) -> web.Server:
    if runner.server is None:
        raise RuntimeError("the runner was not set up")
    return runner.server


def _url(server: asyncio.Server) -> str:
    host, port = server.sockets[0].getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

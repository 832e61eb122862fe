"""The pool that a request is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.api.bodies import path_values
from coordinator.api.exchange import COORDINATOR
from coordinator.service.errors import NotReady

if TYPE_CHECKING:
    from aiohttp import web

    from coordinator.service.pool import Pool


def ready_pool(request: web.Request) -> Pool:
    """The pool of the path, with a complete picture. Raises `Problem` and `ServiceError`."""
    pool = request.app[COORDINATOR].pool(path_values(request)["namespace"])
    require_ready(pool)
    return pool


def require_ready(pool: Pool) -> None:
    """Also to be called before an answer that others had a turn beside (P10). Raises `NotReady`."""
    if why := pool.ready():
        raise NotReady(f"pool {pool.namespace} is not ready: {why}")

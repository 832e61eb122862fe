"""Around every handler: failures become problems, unknown fields a warning, faults a log line."""

from __future__ import annotations

import logging
import re
import secrets
import time
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING

import orjson
import structlog
from aiohttp import web

from coordinator.api.problems import Problem
from coordinator.service import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from coordinator.service.coordinator import Coordinator
    from coordinator.service.metrics import Metrics

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COORDINATOR: web.AppKey[Coordinator] = web.AppKey("coordinator")
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")
DOCUMENT = web.AppKey("openapi", bytes)
"""The OpenAPI document as it is served."""
UNKNOWN_FIELDS: web.RequestKey[Sequence[str]] = web.RequestKey("unknown-fields")
"""Where a handler leaves the names of fields that it ignored."""

MOST_WARNED = 10
"""Unknown fields named in one answer."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._\[\]-]")
_SERVICE_PROBLEMS: dict[type[errors.ServiceError], str] = {
    errors.NotLeading: "no-leader",
    errors.NotReady: "not-ready",
    errors.Stopping: "stopping",
    errors.NodeNotSeen: "node-not-seen",
    errors.NodeUnknown: "unknown-node",
    errors.PoolUnknown: "unknown-pool",
    errors.StaleSync: "stale-sync",
    errors.Unauthenticated: "unauthenticated",
    errors.NotConfirmed: "not-confirmed",
    errors.PodElsewhere: "forbidden",
}

_NUMBERS = count(secrets.randbits(32))
"""Where a process begins is random, so that two replicas and two starts have ids of their own."""

log = structlog.get_logger("coordinator.api")
_level = logging.getLogger("coordinator.api")
"""Asked whether a line would be written at all, before it is put together."""


class JsonResponse(web.Response):
    """Lets go of its body once that is sent.

    The HTTP library keeps the last answer of each connection until there is a next one: those of
    thousands of agents, each as long as its claims are many.
    """

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the body."""
        await super().write_eof(data)
        self.body = None


def json_response(body: object, status: int = 200) -> web.Response:
    """The body as a JSON answer."""
    return JsonResponse(status=status, body=orjson.dumps(body), content_type="application/json")


@web.middleware
async def exchange(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every request with what it asked for or with a problem."""
    number, began = f"{next(_NUMBERS) & 0xFFFFFFFF:08x}", time.monotonic()
    try:
        response = await handler(request)
    except ConnectionError:
        raise  # the caller went away while its body was read
    except Exception as error:  # noqa: BLE001 - what is nobody's is a fault of ours
        response = _failed(error, request, number)
    headers = response.headers
    headers["X-Request-Id"] = number
    headers["Server"] = "node-slots"
    if unknown := request.get(UNKNOWN_FIELDS):
        headers.update(warning_for(unknown))
    if _level.isEnabledFor(logging.DEBUG):
        _tell(request, response, number, began)
    return response


def _tell(request: web.Request, response: web.StreamResponse, number: str, began: float) -> None:
    log.debug(
        "request",
        id=number,
        method=request.method,
        path=request.path,
        status=response.status,
        seconds=round(time.monotonic() - began, 4),
        **_about(request),
    )


def _failed(error: Exception, request: web.Request, number: str) -> web.StreamResponse:
    """What is answered instead."""
    match error:
        case Problem():
            return _refusal(error, request)
        case errors.ServiceError():
            return _refusal(service_problem(error), request)
        case web.HTTPException():
            return _routing(error, request)
    method, path, about = request.method, request.path, _about(request)
    log.exception("request failed", id=number, method=method, path=path, **about)  # noqa: LOG004 - its caller handles it
    detail = f"request {number} failed; the coordinator's log says why under that id"
    return _refusal(Problem("internal", detail), request)


def _about(request: web.Request) -> dict[str, str]:
    """What the path names, as every other line names it."""
    found = request.match_info
    return {name: found[name] for name in ("namespace", "node", "claim") if name in found}


def _refusal(problem: Problem, request: web.Request) -> web.Response:
    response = problem.response(request.path)
    stranger = problem.kind.status == HTTPStatus.UNAUTHORIZED  # keeps no connection from others
    if stranger or not request.content.is_eof():  # the rest of a body that nobody will read
        response.force_close()
    return response


def service_problem(error: errors.ServiceError) -> Problem:
    """The problem that tells of this error. Raises `KeyError` for an error nobody gave one."""
    retry_after = error.retry_after if isinstance(error, errors.Retriable) else None
    return Problem(_SERVICE_PROBLEMS[type(error)], str(error), retry_after=retry_after)


def _routing(error: web.HTTPException, request: web.Request) -> web.StreamResponse:
    """What the router says, as a problem."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"{request.path} does not take {request.method}; it takes {allowed}"
        response = _refusal(Problem("method-not-allowed", detail), request)
        response.headers["Allow"] = allowed
        return response
    if error.status == 404:
        detail = f"there is nothing at {request.path}; /openapi.json lists what there is"
        return _refusal(Problem("not-found", detail), request)
    return error


def warning_for(unknown: Sequence[str]) -> dict[str, str]:
    """The `Warning` header that names unknown fields, safe to put into a header; {} for none."""
    if not unknown:
        return {}
    shown = [_UNSAFE.sub("?", name)[:100] for name in unknown[:MOST_WARNED]]
    more = f" and {len(unknown) - MOST_WARNED} more" if len(unknown) > MOST_WARNED else ""
    noun = "field" if len(unknown) == 1 else "fields"
    return {"Warning": f'299 - "unknown {noun}: {", ".join(shown)}{more}"'}

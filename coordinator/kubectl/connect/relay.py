"""The dashboard's requests, passed on to the coordinator with the user's token."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from coordinator.kubectl.connect.errors import Unreachable, brief
from coordinator.kubectl.connect.stream import SILENCE

if TYPE_CHECKING:
    from coordinator.kubectl.connect.coordinator import Coordinator

_ASKED_WITH = ("Accept", "Content-Type", "If-None-Match", "If-Modified-Since", "Last-Event-ID")
"""What of the browser's headers goes along. Its cookies and its own Authorization do not."""
_KEPT_BACK = frozenset(
    (
        "alt-svc",
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "set-cookie",
        "strict-transport-security",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
    )
)
"""What of the answer's headers speaks of one connection, or of another host."""
_UNAVAILABLE = 503


async def pass_on(coordinator: Coordinator, request: web.Request) -> web.StreamResponse:
    """The coordinator's answer, on its way to the browser as it comes. Streams may be endless."""
    headers = {name: request.headers[name] for name in _ASKED_WITH if name in request.headers}
    headers["Accept-Encoding"] = "identity"
    body = await request.read() if request.can_read_body else None
    opened = coordinator.open(
        request.method,
        request.rel_url.raw_path_qs,
        headers=headers,
        body=body,
        silence=SILENCE,
    )
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(coordinator.timeout):
                answer = await stack.enter_async_context(opened)
        except TimeoutError:
            return nobody(f"the coordinator did not answer within {coordinator.timeout:g} s")
        except Unreachable as error:
            return nobody(str(error))
        except (aiohttp.ClientError, OSError) as error:
            return nobody(f"the coordinator does not answer: {brief(error)}")
        return await _stream(answer, request)


async def _stream(answer: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
    """Once it has begun, only a broken connection can say that the rest is missing."""
    told = (item for item in answer.headers.items() if item[0].lower() not in _KEPT_BACK)
    response = web.StreamResponse(status=answer.status, headers=CIMultiDict(told))
    try:
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
    except (TimeoutError, aiohttp.ClientError, OSError):
        if request.transport is not None:
            request.transport.abort()
    return response


def nobody(why: str) -> web.Response:
    """The answer of a dashboard whose coordinator is away."""
    return problem(_UNAVAILABLE, "no-coordinator", why, {"Retry-After": "1"})


def problem(
    status: int, name: str, detail: str, headers: dict[str, str] | None = None
) -> web.Response:
    """A problem as the coordinator tells its own (RFC 9457)."""
    told = {
        "type": f"https://nodeslots.io/problems/{name}",
        "title": name.replace("-", " "),
        "status": status,
        "detail": detail,
    }
    return web.json_response(
        told,
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )

"""A follower passes what it is asked on to the leader, so that any replica answers every caller.

Bodies stream through both ways: nothing is kept here, and the leader's own limits hold. The
caller's credentials go along, so the leader judges the caller and not this replica. A request that
was passed on carries a mark and is never passed on again: two replicas that each believe the other
one leads answer 503 rather than send a request in circles.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from coordinator.api.exchange import COORDINATOR
from coordinator.api.problems import Problem
from coordinator.service.errors import Stopping

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

    from multidict import CIMultiDictProxy

    from coordinator.kube.election import Leader
    from coordinator.service.coordinator import Coordinator

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PASSED_ON = "X-Node-Slots-Passed-On"
"""The header that marks a request which another replica passed on; it names that replica."""

CONNECT_TIMEOUT = 2.0
"""Seconds. Replicas are in one cluster: a leader that takes longer is as good as away."""
HEAD_TIMEOUT = 75.0
"""Seconds until the leader's answer begins: its longest wait, a body's longest time, and some."""
BODY_TIMEOUT = 30.0
"""Seconds from the beginning of an answer to its end."""
STREAM = "text/event-stream"
"""An answer of this kind goes on until somebody ends it."""
STREAM_SILENCE = 45.0
"""Seconds without a word of the leader, which says something at least each 15."""
LOOK = 0.5
"""Seconds between looks at who leads, while requests are passed on."""
IDLE = 60.0
"""Seconds that an unused connection to the leader is kept; the leader keeps it longer."""

_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""What speaks of one connection only (RFC 9110, 7.6.1)."""
_OWN = frozenset(("host", "expect"))
"""What the request to the leader says for itself."""
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What the HTTP library would add where the caller said nothing."""


class Trust(Protocol):
    """How a leader is verified."""

    server_name: str
    """The name that its certificate has to be for: its address is in none."""

    @property
    def client(self) -> ssl.SSLContext:
        """Whom to believe, for the next connection."""


class Proxy:
    """Passes requests on, over one pool of connections; with `trust` over verified TLS only."""

    def __init__(
        self, coordinator: Coordinator, session: aiohttp.ClientSession, trust: Trust | None = None
    ) -> None:
        self._coordinator = coordinator
        self._session = session
        self._trust = trust
        self._asking: dict[asyncio.Timeout, Leader] = {}

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        """The leader's answer, on its way to the caller. Raises `Problem` and `Stopping`."""
        leader = self._coordinator.leader
        if self._session.closed:  # its handshake was under way when all others were closed
            raise Stopping("this replica is shutting down; ask again")
        if PASSED_ON in request.headers:
            raise no_leader("another replica believes that this one leads, but it does not")
        if leader is None:
            raise no_leader(self._coordinator.leaderless)
        if self._trust and not leader.url.startswith("https:"):
            raise no_leader(f"the leader at {leader.url} has no TLS, so no token is sent to it")
        try:
            answer = await self._ask(request, leader)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            raise no_leader(f"the leader at {leader.url} does not answer ({why})") from error
        async with answer:
            if answer.content_type == STREAM:
                return await self._relay_stream(answer, request, leader)
            return await _relay(answer, request)

    async def _ask(self, request: web.Request, leader: Leader) -> aiohttp.ClientResponse:
        headers = end_to_end(request.headers, _OWN)
        headers[PASSED_ON] = self._coordinator.identity or "1"
        async with asyncio.timeout(HEAD_TIMEOUT) as deadline:
            self._asking[deadline] = leader
            try:
                return await self._session.request(
                    request.method,
                    URL(leader.url.rstrip("/") + request.rel_url.raw_path_qs, encoded=True),
                    headers=headers,
                    data=request.content if request.body_exists else None,
                    allow_redirects=False,
                    ssl=self._trust.client if self._trust else True,
                    server_hostname=self._trust.server_name if self._trust else None,
                )
            finally:
                del self._asking[deadline]

    async def _relay_stream(
        self, answer: aiohttp.ClientResponse, request: web.Request, leader: Leader
    ) -> web.StreamResponse:
        """What the leader goes on telling, as long as it leads and is heard of.

        The end of a stream says nothing, so a leader that is gone just ends it.
        """
        response = _begun(answer)
        now = asyncio.get_running_loop().time
        with suppress(TimeoutError, aiohttp.ClientError):
            async with asyncio.timeout(STREAM_SILENCE) as deadline:
                self._asking[deadline] = leader
                try:
                    await response.prepare(request)
                    async for piece in answer.content.iter_any():
                        await response.write(piece)
                        deadline.reschedule(now() + STREAM_SILENCE)
                finally:
                    del self._asking[deadline]
        with suppress(ConnectionError):
            await response.write_eof()
        return response

    async def watch(self) -> None:
        """Give up what waits for a leader that leads no more: a frozen one would never say so."""
        while True:
            await asyncio.sleep(LOOK)
            now = asyncio.get_running_loop().time()
            for deadline, leader in self._asking.items():
                if leader != self._coordinator.leader and not deadline.expired():
                    deadline.reschedule(now)


PROXY: web.AppKey[Proxy] = web.AppKey("proxy", Proxy)
TRUST: web.AppKey[Trust | None] = web.AppKey("trust")
EVERYWHERE: web.AppKey[frozenset[Handler]] = web.AppKey("everywhere")
"""The handlers that answer whoever leads."""


async def proxying(app: web.Application) -> AsyncIterator[None]:
    """The proxy's connections and its watch, as long as the application runs."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        trust_env=False,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_NOT_ADDED,
    ) as session:
        proxy = app[PROXY] = Proxy(app[COORDINATOR], session, app[TRUST])
        watch = asyncio.create_task(proxy.watch())
        yield
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch


@web.middleware
def follow(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
    """Answer while leading, else have the leader answer. Without one, /v1/status still tells.

    Who only passes on to the next is no coroutine: each of thousands that wait would be kept.
    """
    ours = request.app[COORDINATOR].leading or not request.path.startswith("/v1/")
    if ours or request.match_info.handler in request.app[EVERYWHERE]:
        return handler(request)
    return _followed(request, handler)


async def _followed(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await request.app[PROXY].pass_on(request)
    except Problem:
        if request.path != "/v1/status":
            raise
        return await handler(request)


async def _relay(answer: aiohttp.ClientResponse, request: web.Request) -> web.StreamResponse:
    """Once the answer has begun, only a broken connection can say that its rest is missing."""
    response = _begun(answer)
    if answer.status == HTTPStatus.UNAUTHORIZED:  # as the leader does with its own strangers
        response.force_close()
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
    except (TimeoutError, aiohttp.ClientError):
        if request.transport is not None:
            request.transport.abort()
    return response


def _begun(answer: aiohttp.ClientResponse) -> web.StreamResponse:
    headers = end_to_end(answer.headers)
    return web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)


def end_to_end(
    headers: CIMultiDictProxy[str], without: frozenset[str] = frozenset()
) -> CIMultiDict[str]:
    """The headers that are meant for the other end, all but those `without` (in small letters)."""
    named = (part for value in headers.getall("Connection", ()) for part in value.split(","))
    left_out = _HOP_BY_HOP.union(without, (name.strip().lower() for name in named))
    return CIMultiDict(item for item in headers.items() if item[0].lower() not in left_out)


def no_leader(why: str) -> Problem:
    """The problem of a caller whom nobody can answer right now."""
    return Problem("no-leader", f"{why}; held slots stay held, ask again", retry_after=1)

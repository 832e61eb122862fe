"""Faults in front of the embedded API server: answers that get lost, requests that come late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import orjson
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Handler

    Fate = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
    Match = Callable[[web.Request], bool]

_LATE = "X-Late"


@dataclass(frozen=True)
class Sent:
    """One request that reached the server."""

    at: float
    method: str
    path: str
    body: bytes

    @property
    def writes_lease(self) -> bool:
        return self.method != "GET" and "/leases" in self.path


@dataclass
class Rule:
    """The next `times` requests that match meet this fate."""

    match: Match
    fate: Fate
    times: float
    met: int = 0


@dataclass
class Faults:
    """A middleware; `sent` is the journal of everything that came in."""

    now: Callable[[], float]
    rules: list[Rule] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    held: list[Sent] = field(default_factory=list)
    """Requests that were held back; `deliver_late` lets them take effect."""
    _open: dict[int, web.Request] = field(default_factory=dict)

    def on(self, match: Match, fate: Fate, times: float = 1) -> Rule:
        """The next requests that match meet this fate. Returns the rule, to look at or end."""
        rule = Rule(match, fate, times)
        self.rules.append(rule)
        return rule

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if _LATE in request.headers:
            return await handler(request)
        self._open[id(request)] = request
        try:
            return await self._meet(request, handler)
        finally:
            del self._open[id(request)]

    async def _meet(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.sent.append(Sent(self.now(), request.method, request.path, await request.read()))
        for rule in self.rules:
            if rule.met < rule.times and rule.match(request):
                rule.met += 1
                return await rule.fate(request, handler)
        return await handler(request)

    def cut_all(self) -> None:
        """Every connection with a request under way ends, the watches first of all."""
        for request in self._open.values():
            if request.transport is not None:
                request.transport.close()

    async def hold_back(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Something in between gives the request up, but has it still."""
        self.held.append(self.sent[-1])
        return refusal(504, "Timeout", "the proxy gave up")

    async def swallow(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """No answer at all: the client has to give up by itself. The request is held back."""
        self.held.append(self.sent[-1])
        await asyncio.Event().wait()
        raise AssertionError

    async def deliver_late(self, url: str) -> set[int]:
        """The held-back requests arrive now; the statuses that they got."""
        held, self.held = self.held, []
        statuses = set()
        async with aiohttp.ClientSession(headers={_LATE: "1"}) as session:
            for one in held:
                kind = {"Content-Type": "application/json"}
                async with session.request(
                    one.method, url + one.path, data=one.body, headers=kind
                ) as answer:
                    statuses.add(answer.status)
        return statuses


def refusal(code: int, reason: str, message: str, retry_after: int | None = None) -> web.Response:
    """A Status, as the API server words it."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    response = web.Response(body=orjson.dumps(status), status=code, content_type="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


async def lost_before(request: web.Request, handler: Handler) -> web.StreamResponse:
    """503, and nothing happened."""
    return refusal(503, "ServiceUnavailable", "etcd is away")


async def lost_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """503, although it took effect."""
    await handler(request)
    return refusal(503, "ServiceUnavailable", "etcd is away")


async def cut_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """It took effect, and the connection is gone before the answer."""
    answer = await handler(request)
    if request.transport is not None:
        request.transport.close()
    return answer


async def cut_before(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The connection is gone, and nothing happened."""
    if request.transport is not None:
        request.transport.close()
    return refusal(500, "InternalError", "nobody hears this")


async def throttled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """429 that asks for seven seconds of peace."""
    return refusal(429, "TooManyRequests", "too many requests", retry_after=7)


async def forbidden(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for a missing right."""
    return refusal(403, "Forbidden", "leases is forbidden: User cannot do that")


def any_request(request: web.Request) -> bool:
    return True


def lease_write(*methods: str) -> Match:
    """Requests of these methods to Leases."""

    def match(request: web.Request) -> bool:
        return request.method in methods and "/leases" in request.path

    return match

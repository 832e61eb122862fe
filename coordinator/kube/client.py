"""Requests to the API server: one aiohttp session, orjson, typed errors, a deadline on each."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Self

import aiohttp
from yarl import URL

from coordinator.kube import errors
from coordinator.kube.answers import Json, failure, lost, parse_object
from coordinator.kube.calls import call_of
from coordinator.kube.credentials import CredentialsError
from coordinator.kube.lines import Lines, drop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from aiohttp.connector import Connection

    from coordinator.kube.calls import Call
    from coordinator.kube.credentials import Access

    Observe = Callable[[str, str, str, float], None]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_CONNECT_TIMEOUT = 10.0
"""Seconds for TCP and TLS. An address that swallows packets must not use up a watch's opening."""

_GOES_WRONG = (errors.ApiError, CredentialsError, aiohttp.ClientError, OSError, TimeoutError)

_KEEP_ALIVE = 60.0
"""Seconds. Less than the API server's 90, so that idle connections are closed from this end and
writes seldom meet a closed one."""


_NO_LONGER_THAN_CONNECTING = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT)
"""For a request whose whole time is bounded around it."""


class _Exchange:
    """One request as far as it got: how often its sending began, and the answer's status.

    As a context it turns what goes wrong inside into typed errors, and tells the observer how it
    ended.
    """

    __slots__ = ("_begun", "_observe", "call", "sendings", "status")

    def __init__(self, call: Call, observe: Observe) -> None:
        self.call = call
        self.sendings = 0
        self.status = 0
        self._observe = observe
        self._begun = 0.0

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        _UNDER_WAY.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        failed = _typed(self, error) if isinstance(error, _GOES_WRONG) else None
        code = str(self.status) if self.status else _code(failed)
        self._observe(self.call.verb, self.call.resource, code, time.monotonic() - self._begun)
        if failed is not None and failed is not error:
            raise failed from None  # a cause may carry the request's headers


_UNDER_WAY: ContextVar[_Exchange] = ContextVar("under_way")
"""Whose request this task sends."""


class _Counted(aiohttp.ClientRequest):
    """aiohttp sends an idempotent request again when a kept-alive connection turns out closed.

    Without this count a PUT that was sent, lost and then refused a connection would look unsent.
    (A trace could count, too, for 15 us a request.)
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        _UNDER_WAY.get().sendings += 1
        return await super().send(conn)


class KubeClient:
    """A session with the API server; `async with` opens and closes it.

    `observe(verb, resource, code, seconds)` is told when each request ended, or a watch began; the
    code is the HTTP status as text, or the name of the error where none came.
    """

    def __init__(
        self,
        access: Access,
        *,
        observe: Observe | None = None,
        connections: int = 100,
        user_agent: str = "node-slots",
    ) -> None:
        self._access = access
        self._observe = observe or (lambda _verb, _resource, _code, _seconds: None)
        self._connections = connections
        self._user_agent = user_agent
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            keepalive_timeout=_KEEP_ALIVE,
            ssl=self._access.ssl_context or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent},
            request_class=_Counted,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # closed transports let go of their sockets a round later

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = 10.0,
        call: Call | None = None,
    ) -> Json:
        """The JSON object of a 2xx answer. Ends within `timeout` seconds; raises `ApiError`.

        `call` is what the request is about, where that need not be read from the path.
        """
        call = call or call_of(method, path, params)
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body else {})
        with _Exchange(call, self._observe) as exchange:
            async with asyncio.timeout(timeout):
                limits = _NO_LONGER_THAN_CONNECTING
                answer = await self._send(method, path, params, headers, body, limits, exchange)
                async with answer:
                    return await _result(call, answer, exchange)

    @asynccontextmanager
    async def watch(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout: float,
        silence: float,
        opening: float = 30.0,
    ) -> AsyncIterator[Lines]:
        """The lines of a watch, each a JSON object.

        They end when the server ends them, after `timeout` seconds, after `silence` seconds
        without a byte, or at `Lines.close`. The answer's head must come within `opening` seconds.
        Raises `ApiError`, from the lines too.
        """
        call = call_of("GET", path, params)
        limits = aiohttp.ClientTimeout(
            total=timeout, sock_connect=_CONNECT_TIMEOUT, sock_read=silence
        )
        with _Exchange(call, self._observe) as exchange:
            async with asyncio.timeout(opening):
                headers = {"Accept": accept}
                answer = await self._send("GET", path, params, headers, None, limits, exchange)
                if answer.status != 200:
                    async with answer:
                        raise _refusal(call, answer, await answer.read(), exchange)
        try:
            yield Lines(call, answer)
        finally:
            drop(answer)

    async def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        headers: dict[str, str],
        body: bytes | None,
        limits: aiohttp.ClientTimeout,
        exchange: _Exchange,
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            msg = "the client is not open: use `async with KubeClient(...)`"
            raise RuntimeError(msg)
        answer = await self._session.request(
            method,
            URL(self._access.base_url + path, encoded=True),
            params=params,
            data=body,
            headers=headers | await self._access.headers(),
            timeout=limits,
            allow_redirects=False,
            proxy=self._access.proxy,
            server_hostname=self._access.server_name,
        )
        exchange.status = answer.status
        if answer.status == 401:
            self._access.rejected()
        return answer


async def _result(call: Call, answer: aiohttp.ClientResponse, exchange: _Exchange) -> Json:
    body = await answer.read()
    if 200 <= answer.status < 300:
        return parse_object(call, body)
    raise _refusal(call, answer, body, exchange)


def _refusal(
    call: Call, answer: aiohttp.ClientResponse, body: bytes, exchange: _Exchange
) -> errors.ApiError:
    wait = answer.headers.get("Retry-After")
    return failure(call, answer.status, body, retry_after=wait, sendings=exchange.sendings)


def _code(failed: errors.ApiError | None) -> str:
    return type(failed).__name__ if failed is not None else "cancelled"


def _typed(exchange: _Exchange, error: BaseException) -> errors.ApiError:
    """A write whose sending never began certainly changed nothing; after that, nobody knows."""
    if isinstance(error, errors.ApiError):
        return error
    call = exchange.call
    text = str(error) or ("no answer in time" if isinstance(error, TimeoutError) else "")
    text = text or type(error).__name__
    if not call.reads and exchange.sendings == 0:
        return errors.NotSent(call, text)
    return lost(call, text, status=exchange.status)

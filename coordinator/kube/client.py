"""Requests to the API server: orjson, typed errors, a deadline on each."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from coordinator.kube import errors
from coordinator.kube.answers import Json, failure, lost, parse_object
from coordinator.kube.calls import call_of
from coordinator.kube.credentials import CredentialsError
from coordinator.kube.lines import Lines
from coordinator.kube.wire import Request, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from coordinator.kube.calls import Call
    from coordinator.kube.credentials import Access
    from coordinator.kube.wire import Answer

    Observe = Callable[[str, str, str, float], None]

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_GOES_WRONG = (
    errors.ApiError,
    CredentialsError,
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    TimeoutError,
)
_HUNG_UP = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)
_IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})


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
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        failed = _typed(self, error) if isinstance(error, _GOES_WRONG) else None
        code = str(self.status) if self.status else _code(failed)
        self._observe(self.call.verb, self.call.resource, code, time.monotonic() - self._begun)
        if failed is not None and failed is not error:
            raise failed from None  # a cause may carry the request's headers


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
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        self._wire = Wire(self._access, connections=self._connections, user_agent=self._user_agent)
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._wire is not None:
            await self._wire.close()
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
        fields = {"Accept": accept, "Content-Type": content_type} if body else {"Accept": accept}
        with _Exchange(call, self._observe) as exchange:
            async with asyncio.timeout(timeout):
                answer = await self._send(exchange, method, _target(path, params), fields, body)
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
        call, target = call_of("GET", path, params), _target(path, params)
        with _Exchange(call, self._observe) as exchange:
            async with asyncio.timeout(opening):
                fields = {"Accept": accept}
                answer = await self._send(exchange, "GET", target, fields, silence=silence)
                if answer.status != 200:
                    raise _refusal(call, answer, await answer.read(), exchange)
        lines = Lines(call, answer)
        end = asyncio.get_running_loop().call_later(timeout, lines.close)
        try:
            yield lines
        finally:
            end.cancel()
            answer.drop()

    async def _send(
        self,
        exchange: _Exchange,
        method: str,
        target: str,
        fields: dict[str, str],
        body: bytes | None = None,
        silence: float | None = None,
    ) -> Answer:
        """A kept connection may turn out closed: what may be sent twice is then sent again."""
        if self._wire is None:
            msg = "the client is not open: use `async with KubeClient(...)`"
            raise RuntimeError(msg)
        request = Request(method, target, fields | await self._access.headers(), body)
        while True:
            connection = await self._wire.connect()
            exchange.sendings += 1
            try:
                answer = await self._wire.ask(connection, request, silence)
            except _HUNG_UP:
                if exchange.sendings > 1 or method not in _IDEMPOTENT:
                    raise
                continue
            exchange.status = answer.status
            if answer.status == 401:
                self._access.rejected()
            return answer


def _target(path: str, params: Mapping[str, str] | None) -> str:
    return URL(path, encoded=True).extend_query(params).raw_path_qs if params else path


async def _result(call: Call, answer: Answer, exchange: _Exchange) -> Json:
    body = await answer.read()
    if 200 <= answer.status < 300:
        return parse_object(call, body)
    raise _refusal(call, answer, body, exchange)


def _refusal(call: Call, answer: Answer, body: bytes, exchange: _Exchange) -> errors.ApiError:
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

"""Asking the coordinator: JSON in and out, its problems as `Refused`, the rest as `Unreachable`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from coordinator.kubectl.connect.answers import read
from coordinator.kubectl.connect.errors import Unreachable, brief
from coordinator.kubectl.connect.stream import follow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from coordinator.kubectl.connect.events import Event
    from coordinator.kubectl.connect.tokens import Tokens

_UNAUTHORIZED = 401


class Coordinator:
    """An open way to it; any replica answers, and passes on to the one that leads."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, tokens: Tokens, timeout: float
    ) -> None:
        self._session = session
        self._tokens = tokens
        self.url = url
        """Where it is asked; with port-forward the Service's own address."""
        self.timeout = timeout

    async def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """The JSON of the answer. Raises `Refused`, `Unreachable`."""
        return await self._call("GET", path, query)

    async def post(self, path: str, body: Any) -> Any:
        """The JSON of the answer to this JSON. Raises `Refused`, `Unreachable`."""
        return await self._call("POST", path, body=orjson.dumps(body))

    async def delete(self, path: str) -> None:
        """Returns when it is done. Raises `Refused`, `Unreachable`."""
        await self._call("DELETE", path)

    async def events(
        self, namespace: str, *, nodes: Sequence[str] = (), summaries: bool = False
    ) -> AsyncGenerator[Event, None]:
        """What happens in the pool, from now on, without end.

        It reconnects by itself: `lost` (with `why`) and `back` tell of it, `reset` that something
        was missed and all has to be read anew. Raises `Refused` where asking again is no use.
        """
        query = [("node", node) for node in nodes]
        query += [("summaries", "1")] if summaries else []
        path = f"/v1/namespaces/{quote(namespace, safe='')}/events"
        async with aclosing(follow(self, path, query)) as happened:
            async for event in happened:
                yield event

    async def _call(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> Any:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            async with (
                asyncio.timeout(self.timeout),
                self.open(method, path, query, headers=headers, body=body) as answer,
            ):
                return await read(answer)
        except TimeoutError:
            why = f"the coordinator at {self.url} did not answer within {self.timeout:g} s"
        except (aiohttp.ClientError, OSError) as error:
            why = f"the coordinator at {self.url} does not answer: {brief(error)}"
        raise Unreachable(why)

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        silence: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, whatever its status, as it comes; its reading breaks off after `silence`
        seconds without a byte. The caller sets the other deadlines.

        Raises `Unreachable`, `aiohttp.ClientError` and `OSError`.
        """
        url = URL(self.url + path, encoded=True)
        url = url.extend_query(list(query)) if query else url
        for last in (False, True):
            try:
                answer = await self._send(method, url, headers or {}, body, silence)
            except aiohttp.ServerDisconnectedError:
                if last:
                    raise
                continue  # a kept connection that has ended; every call here may be repeated
            if answer.status == _UNAUTHORIZED and not last:
                self._tokens.rejected()  # it may have expired since it was read
                answer.release()
                continue
            async with answer:
                yield answer
            return

    async def _send(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        silence: float | None,
    ) -> aiohttp.ClientResponse:
        shown = await self._tokens.header()
        return await self._session.request(
            method,
            url,
            headers={**headers, **({"Authorization": shown} if shown else {})},
            data=body,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=silence),
            allow_redirects=False,  # a token goes where it was meant to go
        )

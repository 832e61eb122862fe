"""One HTTP request and its answer, on a connection of aiohttp's pool.

aiohttp's session makes everything anew for each request: URL, headers, cookies, redirects, proxy,
a task for the body. Of one client's requests all of that is alike, so it is made once here, and a
PUT costs half. Connections, TLS, proxies and the reading of answers are aiohttp's.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.connector import Connection
    from aiohttp.http import RawResponseMessage
    from aiohttp.streams import StreamReader

    from coordinator.kube.credentials import Access

_KEEP_ALIVE = 60.0
"""Seconds. Less than the API server's 90, so that idle connections are closed from this end and
writes seldom meet a closed one."""

_CONNECTING = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
"""Seconds for TCP and TLS. An address that swallows packets must not use up a watch's opening."""
_KEPT = 16
"""Sets of header fields: a few kinds of content, and the last tokens."""
_TARGET = re.compile(r"[!-~]+", re.ASCII)
_FIELD = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


class Answer:
    """An answer whose head has come. It is to be read, or dropped."""

    __slots__ = ("_connection", "content", "headers", "status")

    def __init__(
        self, connection: Connection, head: RawResponseMessage, content: StreamReader
    ) -> None:
        self._connection = connection
        self.status = head.code
        self.headers: Mapping[str, str] = head.headers
        self.content = content

    async def read(self) -> bytes:
        """The whole body; the connection goes back into the pool."""
        content = self.content
        try:  # nearly every answer is there as a whole
            body = content.read_nowait() if content.is_eof() else await content.read()
        except BaseException:
            self._connection.close()
            raise
        self._connection.release()
        return body

    def drop(self) -> None:
        """Ends an endless answer at once, for whoever reads it too.

        Closing alone would wait for the peer's goodbye under TLS, with the socket open for up to
        half a minute.
        """
        if self.content.is_eof():
            self._connection.release()
            return
        transport = self._connection.transport
        self.content.set_exception(aiohttp.ClientConnectionError("the answer was dropped"))
        self._connection.close()
        if transport is not None:
            transport.abort()


class Request(NamedTuple):
    """What is asked: a path with its query, the header fields that not all have, and a body."""

    method: str
    target: str
    fields: Mapping[str, str]
    body: bytes | None = None


class Wire:
    """The way to one API server. To be made in a running loop, and closed."""

    def __init__(self, access: Access, *, connections: int, user_agent: str) -> None:
        base = URL(access.base_url)
        proxy = URL(access.proxy) if access.proxy else None
        self._connector = aiohttp.TCPConnector(
            limit=connections, keepalive_timeout=_KEEP_ALIVE, ssl=access.ssl_context or True
        )
        self._door = aiohttp.ClientRequest(
            "GET",
            base,
            headers={"User-Agent": user_agent},
            proxy=proxy,
            server_hostname=access.server_name,
            loop=asyncio.get_running_loop(),
        )
        """Stands for every request when a connection is asked for, and has what all of them say."""
        through = proxy is not None and base.scheme == "http"
        self._prefix = access.base_url if through else base.raw_path.rstrip("/")
        self._fields: dict[tuple[tuple[str, str], ...], str] = {}
        """The header fields as text, by those that differ."""

    async def close(self) -> None:
        """End all connections."""
        await self._connector.close()

    async def connect(self) -> Connection:
        """A connection of one's own, until it is released. Nothing is sent on it yet."""
        return await self._connector.connect(self._door, [], _CONNECTING)

    async def ask(
        self, connection: Connection, request: Request, silence: float | None = None
    ) -> Answer:
        """Send the request, and return when the answer's head has come.

        Its body may not stay silent for longer than `silence` seconds. Raises what aiohttp raises,
        and ValueError for what would be another request.
        """
        try:
            protocol = connection.protocol
            if protocol is None or protocol.transport is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(read_until_eof=True, read_timeout=silence)
            protocol.transport.write(self._render(request))
            protocol.start_timeout()
            head, content = await protocol.read()
            while 100 <= head.code < 200 and head.code != 101:  # a word in between
                head, content = await protocol.read()
        except BaseException:
            connection.close()
            raise
        return Answer(connection, head, content)

    def _render(self, request: Request) -> bytes:
        """To be called once there is a connection: a proxy's credentials are known only then."""
        target, body = self._prefix + request.target, request.body
        if not _TARGET.fullmatch(target):
            msg = f"{target!r} cannot be asked for: it would change the request"
            raise ValueError(msg)
        size = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = f"{request.method} {target} HTTP/1.1\r\n{self._text(request.fields)}{size}\r\n"
        return head.encode() + (body or b"")

    def _text(self, fields: Mapping[str, str]) -> str:
        key = tuple(fields.items())
        if key not in self._fields:
            if len(self._fields) >= _KEPT:
                self._fields.clear()
            self._fields[key] = _joined({**self._door.headers, **fields})
        return self._fields[key]


def _joined(fields: Mapping[str, str]) -> str:
    text = [f"{name}: {value}" for name, value in fields.items()]
    if not all(map(_FIELD.fullmatch, text)):
        raise ValueError("a header field has a character that would change the request")
    return "".join(f"{line}\r\n" for line in text)

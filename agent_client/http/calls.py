"""Calls to one server: one keep-alive connection at rest, more only while calls overlap."""

from __future__ import annotations

import asyncio
import select
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from agent_client.errors import NoAnswer
from agent_client.http.dial import reach
from agent_client.http.heads import Heads
from agent_client.http.reading import joined
from agent_client.http.tls import Trust
from agent_client.http.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ssl import SSLContext

CONNECT_WITHIN = 3.0
"""Seconds for name, connection and TLS: a coordinator is near, and another may answer instead."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes. A thousand queued claims with their holders stay well below."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _HungUp(Exception):
    """The connection ended before the first byte of an answer."""


class Line(Wire):
    """One connection to the server. `trust` is what its certificate was checked against."""

    def __init__(self, trust: SSLContext | None, lost: Callable[[Line], None]) -> None:
        super().__init__(h11.CLIENT)
        self.trust = trust
        self.lost = asyncio.Event()
        self.made = False
        self._look = select.poll()
        self._tell_lost = lost
        self._why: Exception | None = None

    def usable(self) -> bool:
        """Whether one more request may be sent: nothing has come that nobody asked for.

        The socket is asked as well, since the loop may not have heard of an end yet.
        """
        if not self.at_rest or self.transport.is_closing():
            return False
        return not self._look.poll(0)

    async def ask(self, request: h11.Request, body: bytes) -> Answer:
        """The answer to one request. Raises `_HungUp`, or `h11.RemoteProtocolError`."""
        self.send(request, h11.Data(data=body), h11.EndOfMessage())
        await self.arrival()
        if self.ended and not self._unread:
            raise _HungUp(str(self._why or "it closed the connection"))
        self.take_in()
        while isinstance(head := await self.event(), h11.InformationalResponse):
            pass
        if not isinstance(head, h11.Response):
            raise h11.RemoteProtocolError("it has no head")
        return Answer(head.status_code, joined(head), await self._body())

    async def _body(self) -> bytes:
        content = bytearray()
        while isinstance(event := await self.event(), h11.Data):
            content += event.data
            if len(content) > LARGEST_ANSWER:
                raise h11.RemoteProtocolError(f"it has more than {LARGEST_ANSWER} bytes")
        return bytes(content)

    def cut(self) -> None:
        """End it at once, as far as it stands: asyncio itself would wait for TLS's goodbye."""
        if self.made:
            self.transport.abort()

    def again(self) -> bool:
        """Make ready for the next request; False when this connection has done its work."""
        done = self.http.our_state is h11.DONE and self.http.their_state is h11.DONE
        if done:
            self.http.start_next_cycle()
        return done

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        super().connection_made(transport)
        self._look.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        self.made = True

    def connection_lost(self, error: Exception | None) -> None:
        """As asyncio calls it."""
        self._why = error
        super().connection_lost(error)
        self.lost.set()
        self._tell_lost(self)


class Caller:
    """Calls to the server at `url`, whose own path stands before that of each call."""

    def __init__(self, url: str, ca_file: str | None = None) -> None:
        self.url = url
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._heads = Heads(url)
        self._trust = Trust(ca_file)
        self._lines: dict[Line, None] = {}
        self._resting: Line | None = None

    async def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        within: float,
    ) -> Answer:
        """The answer to one request within `within` seconds. Cancelled, it closes its connection.

        A GET whose kept connection turns out to be closed is sent again on a new one. Nothing else
        is: the coordinator may have acted on it, and takes the same sync for an outdated one.

        Raises:
            NoAnswer: there is no connection, no answer in time, or none that is HTTP.
        """
        request = self._heads.head(method, path, headers, len(body))
        try:
            async with asyncio.timeout(within):
                return await self._called(request, body, again=method == "GET")
        except TimeoutError:
            raise NoAnswer(f"{self.url} did not answer within {within:g} s") from None
        except _HungUp as error:
            raise NoAnswer(f"{self.url} hung up without an answer: {error}") from error
        except h11.RemoteProtocolError as error:
            raise NoAnswer(f"{self.url} gave no proper HTTP answer: {error}") from error

    async def close(self) -> None:
        """Close every connection; a later call opens a new one."""
        self._resting = None
        lines = list(self._lines)
        for line in lines:
            line.transport.abort()
        for line in lines:
            await line.lost.wait()

    async def _called(self, request: h11.Request, body: bytes, *, again: bool) -> Answer:
        trust = self._trust.context() if self._secure else None
        kept = self._take(trust)
        if kept is not None:
            try:
                return await self._asked(kept, request, body)
            except _HungUp:
                if not again:
                    raise
        return await self._asked(await self._dialled(trust), request, body)

    async def _asked(self, line: Line, request: h11.Request, body: bytes) -> Answer:
        done = False
        try:
            answer = await line.ask(request, body)
            done = line.again() and self._resting is None
        finally:
            if done:
                self._resting = line
            else:
                line.transport.abort()
        return answer

    def _take(self, trust: SSLContext | None) -> Line | None:
        """The connection at rest, when it is still good."""
        line, self._resting = self._resting, None
        if line is not None and not (line.trust is trust and line.usable()):
            line.transport.abort()
            return None
        return line

    async def _dialled(self, trust: SSLContext | None) -> Line:
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                return await self._connected(trust)
        except TimeoutError as error:
            why = f"no connection to {self.url} within {CONNECT_WITHIN:g} s"
            raise NoAnswer(why) from error
        except OSError as error:
            raise NoAnswer(self._unreachable(error)) from error

    async def _connected(self, trust: SSLContext | None) -> Line:
        loop = asyncio.get_running_loop()
        made = await reach(self._host, self._port)
        line = Line(trust, self._lost)
        try:
            await loop.create_connection(
                lambda: line,
                sock=made,
                ssl=trust,
                server_hostname=self._host if trust else None,
            )
        except BaseException:
            line.cut()
            raise
        if not line.lost.is_set():
            self._lines[line] = None
        return line

    def _lost(self, line: Line) -> None:
        self._lines.pop(line, None)

    def _unreachable(self, error: OSError) -> str:
        if isinstance(error, socket.gaierror):
            return f"the name {self._host} of {self.url} cannot be looked up: {error.strerror}"
        if refused := getattr(error, "verify_message", None):
            return f"the certificate of {self.url} is not trusted: {refused}"
        why = getattr(error, "strerror", None) or error
        return f"no connection to {self.url}: {why}"

"""One client of the server: its requests one after the other, until it goes.

A client that closes, even only its sending side, has gone: what works for it is cancelled at
once, so that nothing is held for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from agent_client.http.asked import understood
from agent_client.http.messages import Stream, problem
from agent_client.http.reading import joined
from agent_client.http.wire import MOST_AHEAD, Stalled, Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agent_client.http.messages import Handler, Request, Response

HEAD_WITHIN = 10.0
BODY_WITHIN = 10.0
KEPT_FOR = 75.0
"""Seconds without a request after which a connection is let go."""
READ_WITHIN = 30.0
"""Seconds in which a client has to make room for more of its answer."""
LINGER = 1.0
"""Seconds for a refused client to read why; closed at once, a socket throws the answer away."""
LARGEST_BODY = MOST_AHEAD
_REASONS = {status.value: status.phrase for status in HTTPStatus}

logger = logging.getLogger(__name__)


class Unfit(Exception):
    """A request that no handler gets to see; the connection ends with this answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Connection(Wire):
    """Serves one client. `met` is called with it at its begin, and `forget` at its end."""

    task: asyncio.Task[None]

    def __init__(
        self,
        handler: Handler,
        met: Callable[[Connection], None],
        forget: Callable[[Connection], None],
    ) -> None:
        super().__init__(h11.SERVER)
        self.refusal: Response | None = None
        """All that this client is told, when it is set before the first request."""
        self._handler = handler
        self._met = met
        self._forget = forget
        self._idle = True
        self._exchanging = False
        self._last = False
        self._method = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        super().connection_made(transport)
        self.task = asyncio.get_running_loop().create_task(self._serve())
        self.task.add_done_callback(lambda _: self._forget(self))
        self._met(self)

    def end(self) -> None:
        """The client has gone, or has to."""
        if not self.ended:
            super().end()
            self.transport.abort()
            self.task.cancel()

    def retire(self) -> None:
        """Take no further request: end now, or after the answer that is being given."""
        self._last = True
        if self._idle and self.at_rest:
            self.end()

    def overflow(self) -> None:
        """Who is being answered is listened to only for its end, and may not fill memory."""
        if self._exchanging:
            self.end()
        else:
            super().overflow()

    async def _serve(self) -> None:
        try:
            if self.refusal is not None:
                raise Unfit(self.refusal)
            await self._converse()
        except Unfit as unfit:
            await self._refuse(unfit.answer)
        except Stalled as stalled:
            logger.warning("a client's connection is closed: %s", stalled)
        except Exception:  # the answer's head is sent: only a cut tells the client
            logger.exception("an answer broke off")
        finally:
            self.transport.abort()

    async def _converse(self) -> None:
        patience = HEAD_WITHIN
        while (head := await self._head(patience)) is not None:
            await self._answer(await self._request(head))
            if self._last or not self._again():
                break
            self.http.start_next_cycle()
            self._idle, patience = True, KEPT_FOR
        await self._sent()

    def _again(self) -> bool:
        return self.http.our_state is h11.DONE and self.http.their_state is h11.DONE

    async def _head(self, patience: float) -> h11.Request | None:
        """The next request's head; None when nothing comes for `patience` seconds."""
        try:
            if self.at_rest:
                async with asyncio.timeout(patience):
                    await self.arrival()
        except TimeoutError:
            return None
        self._idle = False
        async with _reading(HEAD_WITHIN, "head"):
            event = await self.event()
        return event if isinstance(event, h11.Request) else None

    async def _request(self, head: h11.Request) -> Request:
        self._method = head.method
        headers = joined(head)
        if int(headers.get("content-length", 0)) > LARGEST_BODY:
            raise _too_large()
        if self.http.they_are_waiting_for_100_continue:
            self.send(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        async with _reading(BODY_WITHIN, "body"):
            while isinstance(event := await self.event(), h11.Data):
                body += event.data
                if len(body) > LARGEST_BODY:
                    raise _too_large()
        return understood(head, headers, bytes(body))

    async def _answer(self, request: Request) -> None:
        self._exchanging = True
        try:
            answer = await self._handler(request)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            answer = problem(500, "internal", "this is a fault of the server: see its log")
        if isinstance(answer, Stream):
            await self._stream(answer)
        else:
            self._whole(answer)
        await self.drain(READ_WITHIN)
        self._exchanging = False

    async def _stream(self, stream: Stream) -> None:
        try:
            self.send(self._begin(stream.status, [("Content-Type", stream.content_type)]))
            if not self._bodiless():
                async for line in stream.lines:
                    self.send(h11.Data(data=line))
                    await self.drain(READ_WITHIN)
        finally:
            await stream.lines.aclose()
        self.send(h11.EndOfMessage())

    def _whole(self, answer: Response) -> None:
        headers = list(answer.headers)
        events: list[h11.Event] = []
        if answer.status not in {204, 304}:
            headers.append(("Content-Type", answer.content_type))
            headers.append(("Content-Length", str(len(answer.body))))
            if not self._bodiless():
                events.append(h11.Data(data=answer.body))
        self.send(self._begin(answer.status, headers), *events, h11.EndOfMessage())

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> h11.Response:
        closing = [("Connection", "close")] if self._last else []
        return h11.Response(
            status_code=status, headers=[*headers, *closing], reason=_REASONS.get(status, "")
        )

    def _bodiless(self) -> bool:
        return self._method == b"HEAD"

    async def _refuse(self, answer: Response) -> None:
        """Say why, and wait a moment for the client to read it; what it still sends is lost."""
        self._last = True
        if self.http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._whole(answer)
        await self._sent()
        self.transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while not self.ended:
                    self._unread.clear()
                    self.transport.resume_reading()
                    await self.arrival()

    async def _sent(self) -> None:
        """Wait until everything is with the operating system. Raises `Stalled`."""
        self.transport.set_write_buffer_limits(high=0)
        await self.drain(READ_WITHIN)


@contextlib.asynccontextmanager
async def _reading(seconds: float, part: str) -> AsyncIterator[None]:
    """Raises `Unfit` for what is no HTTP, and for what is too slow."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        detail = f"the request's {part} did not come within {seconds:g} s: send it at once"
        raise Unfit(problem(408, "request-timeout", detail)) from None
    except h11.RemoteProtocolError as error:
        detail = f"this is no HTTP/1.1: {error}"
        raise Unfit(problem(error.error_status_hint, "malformed", detail)) from None


def _too_large() -> Unfit:
    return Unfit(problem(413, "too-large", f"a body has at most {LARGEST_BODY} bytes"))

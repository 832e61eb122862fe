"""Syncs over HTTP/1.1, one after the other, on one kept connection. Blocking, without threads.

The library's transport needs asyncio, which costs a process that only waits half its memory again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h11

from agent_client.errors import NoAnswer
from agent_client.hold.wire import Wire, connect
from agent_client.http.answers import authorization, reply_of
from agent_client.http.heads import Heads
from agent_client.http.reading import joined
from agent_client.http.tls import Trust

if TYPE_CHECKING:
    from ssl import SSLContext

    from agent_client.hold.pulse import Pulse
    from agent_client.messages import Reply
    from agent_client.settings import Settings

LARGEST_ANSWER = 1024 * 1024
"""Bytes. One claim with its holders stays far below."""


class Line:
    """To the coordinator of `settings`. The machine's proxy settings are ignored."""

    def __init__(self, settings: Settings, pulse: Pulse) -> None:
        self._settings = settings
        self._pulse = pulse
        self._trust = Trust(settings.ca_file) if settings.url.startswith("https:") else None
        self._wire: Wire | None = None
        self._trusted: SSLContext | None = None
        self._heads = Heads(settings.url)
        self._path = f"{settings.node_path}/sync"

    def sync(self, body: dict[str, Any], timeout: float) -> Reply:
        """Send one sync and return its answer within `timeout` seconds.

        Raises:
            NoAnswer: there is none; the text is for people.
            Ended: a signal came meanwhile.
        """
        deadline = self._pulse.now() + timeout
        try:
            return self._exchange(json.dumps(body).encode(), deadline)
        except (OSError, h11.ProtocolError, UnicodeError) as error:
            self.close()
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoAnswer(why) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the connection go; the next sync opens another one."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _exchange(self, body: bytes, deadline: float) -> Reply:
        http = h11.Connection(h11.CLIENT)
        headers = authorization(self._settings.token_file)
        headers["Content-Type"] = "application/json"
        head = self._heads.head("POST", self._path, headers, len(body))
        parts = (head, h11.Data(data=body), h11.EndOfMessage())
        request = b"".join(http.send(part) or b"" for part in parts)
        wire = self._opened(deadline)
        wire.send(request, deadline)
        response, content = _answer(http, wire, deadline)
        if http.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self.close()
        return reply_of(self._settings.url, response.status_code, joined(response), content)

    def _opened(self, deadline: float) -> Wire:
        """What was kept, unless the coordinator has closed it, or its CA has changed since."""
        trust = self._trust.context() if self._trust is not None else None
        if self._wire is not None and not (self._wire.is_quiet() and trust is self._trusted):
            self.close()
        if self._wire is None:
            self._wire = connect(self._settings.url, trust, self._pulse, deadline)
            self._trusted = trust
        return self._wire


def _answer(http: h11.Connection, wire: Wire, deadline: float) -> tuple[h11.Response, bytes]:
    response: h11.Response | None = None
    content = b""
    _take_in(http, wire, deadline)
    while True:
        match http.next_event():
            case h11.NEED_DATA:
                _take_in(http, wire, deadline, begun=response is not None)
            case h11.Response() as response:
                pass
            case h11.Data(data=data):
                content += data
            case h11.EndOfMessage() if response is not None:
                return response, content
        if len(content) > LARGEST_ANSWER:
            raise ConnectionError("the answer is too large to be one")


def _take_in(http: h11.Connection, wire: Wire, deadline: float, *, begun: bool = False) -> None:
    data = wire.receive(deadline)
    if not (data or begun):
        raise ConnectionError("it closed the connection without an answer")
    http.receive_data(data)

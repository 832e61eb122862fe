"""One agent's connection to the coordinator, as thin as it can be: syncs out, answers in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HEAD = (
    "POST /v1/namespaces/{}/nodes/{}/sync HTTP/1.1\r\n"
    "Host: bench\r\nContent-Type: application/json\r\nContent-Length: "
)


class Refused(Exception):
    """The coordinator did not answer a sync with 200; the text is its answer."""


class Connection(asyncio.Protocol):
    """One request at a time; `heard` is given the JSON of each answer. `failed` is done with what
    went wrong, if anything does.
    """

    def __init__(self, namespace: str, node: str, heard: Callable[[Any], None]) -> None:
        self.heard = heard
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._head = _HEAD.format(namespace, node).encode()
        self._transport: asyncio.WriteTransport
        self._pieces = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass

    def send(self, body: bytes) -> None:
        """A sync with this body."""
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))

    def close(self) -> None:
        """No answer is waited for any more."""
        if not self.failed.done():
            self.failed.cancel()
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._pieces += data
        head, blank, body = self._pieces.partition(b"\r\n\r\n")
        if not blank:
            return
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < size:
            return
        self._pieces = b""
        try:
            if not head.startswith(b"HTTP/1.1 200"):
                raise Refused(f"{head.decode()}\n{body.decode()}")
            self.heard(orjson.loads(body))
        except Exception as error:  # noqa: BLE001 - whatever it is, the load ends with it
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or ConnectionResetError("the coordinator closed the connection"))

    def _fail(self, error: Exception) -> None:
        if not self.failed.done():
            self.failed.set_exception(error)


async def connect(url: str, namespace: str, node: str, heard: Callable[[Any], None]) -> Connection:
    """A connection to the coordinator at `url` for an agent on the node."""
    host, port = url.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(namespace, node, heard), host, int(port)
    )
    return connection


async def first_of(ended: asyncio.Future[Any], connections: Sequence[Connection]) -> None:
    """Wait for the load's end, then close its connections. Raises what one of them failed with."""
    failures = [connection.failed for connection in connections]
    await asyncio.wait([ended, *failures], return_when=asyncio.FIRST_COMPLETED)
    for failure in failures:
        if failure.done():
            failure.result()
    for connection in connections:
        connection.close()

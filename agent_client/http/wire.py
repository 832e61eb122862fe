"""One HTTP connection as both sides see it: h11's events on an asyncio transport."""

from __future__ import annotations

import asyncio
from typing import cast

import h11

MOST_AHEAD = 64 * 1024
"""Bytes taken in before anybody asks for them."""


class Stalled(Exception):
    """The other side does not read what it is sent."""


class Wire(asyncio.Protocol):
    """Bytes in and out. `ended` says that the other side has spoken its last word."""

    transport: asyncio.Transport

    def __init__(self, role: type[h11.CLIENT] | type[h11.SERVER]) -> None:
        self.http = h11.Connection(role)
        self.ended = False
        self._unread = bytearray()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def at_rest(self) -> bool:
        """Whether all that came has been asked for, and more may come."""
        return not (self.ended or self._unread or self.http.trailing_data[0])

    async def event(self) -> object:
        """The next h11 event, as soon as there is one. Raises `h11.RemoteProtocolError`."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            await self.arrival()
            self.take_in()
        return event

    def take_in(self) -> None:
        """Hand what came to h11; nothing at all tells it of the end."""
        data = bytes(self._unread)
        self._unread.clear()
        self.transport.resume_reading()
        self.http.receive_data(data)

    async def arrival(self) -> None:
        """Wait for something unread, or the end."""
        while not (self._unread or self.ended):
            self._arrived.clear()
            await self._arrived.wait()

    def send(self, *events: h11.Event) -> None:
        """Send `events` together, now. Raises `h11.LocalProtocolError`."""
        parts = [self.http.send(event) for event in events]
        self.transport.write(b"".join(part for part in parts if part))

    async def drain(self, seconds: float) -> None:
        """Wait until there is room to send more; after `seconds`, or at the end, `Stalled`."""
        if not self._room.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._room.wait()
            except TimeoutError as error:
                raise Stalled(f"it read too little for {seconds:g} s") from error
        if self.ended:
            raise Stalled("it has gone")

    def overflow(self) -> None:
        """More came than was asked for: let the sender wait."""
        self.transport.pause_reading()

    def end(self) -> None:
        """Nothing more will come, or shall."""
        self.ended = True
        self._arrived.set()
        self._room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio calls it."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """As asyncio calls it."""
        self._unread += data
        self._arrived.set()
        if len(self._unread) > MOST_AHEAD:
            self.overflow()

    def eof_received(self) -> None:
        """As asyncio calls it; the transport closes itself after this."""
        self.end()

    def connection_lost(self, error: Exception | None) -> None:
        """As asyncio calls it."""
        self.end()

    def pause_writing(self) -> None:
        """As asyncio calls it."""
        self._room.clear()

    def resume_writing(self) -> None:
        """As asyncio calls it."""
        self._room.set()

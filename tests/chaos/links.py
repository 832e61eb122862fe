"""A TCP connection that can be made bad: a proxy that stalls, cuts, refuses and slows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_CHUNK = 65536
_LET_IN = 10
"""Turns of the loop in which those that were accepted just before the end come to be known; it
takes three.
"""
_CONNECT = 5.0
"""Seconds. A frozen program's kernel still accepts; only a full backlog lets a connection wait."""


class Link:
    """Listens on a loopback port and passes every connection on to one of `targets`, at random.

    A target that refuses is passed over for the next, as a Service does once it knows. Everything
    runs in the loop that opened it; `close` ends all of it.
    """

    scheme = "https"
    """What the API server is spoken to in through this link."""

    def __init__(self, name: str, targets: Sequence[int], rng: Random) -> None:
        self.name = name
        self.lag = 0.0
        """Seconds that each piece of data waits in between."""
        self.refuses = False
        self._targets = list(targets)
        self._rng = rng
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    async def open(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    @property
    def port(self) -> int:
        assert self._server is not None, f"the link {self.name} is not open"
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    def stall(self) -> None:
        """Nothing passes any more, in either direction; nobody is told."""
        self._flows.clear()

    def heal(self) -> None:
        """Passes everything on again, what has waited first."""
        self._flows.set()
        self.lag, self.refuses = 0.0, False

    def cut(self) -> None:
        """Every connection is reset."""
        for writers in self._open.values():
            for writer in writers:
                writer.transport.abort()

    async def close(self) -> None:
        """Ends every connection at once: a peer that reads no more would keep one open for ever."""
        if self._server is not None:
            self._server.close()
        for _ in range(_LET_IN):
            await asyncio.sleep(0)
        self.cut()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await asyncio.sleep(0)  # the ends of the transports

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        writers = self._open[task] = [writer]
        try:
            await self._flows.wait()
            with suppress(OSError, TimeoutError):
                await self._pass_on(reader, writers)
        except asyncio.CancelledError:
            pass  # the link is being closed; asyncio would log the end of a cancelled connection
        finally:
            for one in writers:
                one.close()
            del self._open[task]

    async def _pass_on(
        self, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]
    ) -> None:
        """Serves one connection; `writers` are closed after it. Raises OSError."""
        far_reader, far_writer = await self._connect()
        writers.append(far_writer)
        await self._both(self._pump(reader, far_writer), self._pump(far_reader, writers[0]))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises OSError or TimeoutError when no target takes the connection."""
        failure: OSError = ConnectionRefusedError(self.name)
        for port in () if self.refuses else self._rng.sample(self._targets, len(self._targets)):
            try:
                async with asyncio.timeout(_CONNECT):
                    return await self._dial(port)
            except OSError as error:
                failure = error
        raise failure

    async def _dial(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port)

    async def _both(self, *pumps: object) -> None:
        """Until one direction has ended."""
        tasks = [asyncio.ensure_future(pump) for pump in pumps]  # type: ignore[call-overload]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            data = await reader.read(_CHUNK)
            await self._flows.wait()
            if self.lag:
                await asyncio.sleep(self.lag)
            if not data:
                return
            writer.write(data)
            await writer.drain()

"""Callers that mean no good, or know no better, and what they cost the process they call."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.api.conftest import CLAIM, SYNC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.api.conftest import Caller

JSON = "Content-Type: application/json\r\n"
MEGABYTE = 1024 * 1024
HEAD = b"PUT /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY = f"POST {SYNC} HTTP/1.1\r\nHost: x\r\n{JSON}Content-Length: {2 * MEGABYTE}\r\n\r\n".encode()


def memory(pid: int) -> float:
    """What the process has in memory, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no process {pid}")


class Crowd:
    """Many connections that begin something and never come to its end.

    Between any two of them the event loop has a turn: the API server may be served by it, and a
    coordinator that cannot write there loses its lead.
    """

    def __init__(self, url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        self._address = (host, int(port))
        self._sockets: deque[socket.socket] = deque()

    async def come(self, number: int, begin: bytes) -> None:
        """So many connections more, each of which sends `begin`, as far as it is taken."""
        for _ in range(number):
            one = socket.create_connection(self._address, timeout=30)
            one.setblocking(False)
            self._sockets.append(one)
            _send(one, begin)
            await asyncio.sleep(0)

    async def push(self, data: bytes) -> None:
        """Each of them sends more."""
        for one in self._sockets:
            _send(one, data)
            await asyncio.sleep(0)

    def dribble(self) -> None:
        """The next two of them send one byte more."""
        for _ in range(2):
            self._sockets.rotate(-1)
            _send(self._sockets[-1], b"x")

    def left(self) -> None:
        """All of them go."""
        for one in self._sockets:
            one.close()

    async def thrown_out(self) -> None:
        """Waits until the other side has closed every one of them."""
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            with suppress(ConnectionError):
                while await loop.sock_recv(one, 65536):
                    pass


def _send(one: socket.socket, data: bytes) -> None:
    with suppress(BlockingIOError, ConnectionError):  # its buffer is full, or it was thrown out
        one.send(data)


@contextmanager
def crowd(url: str) -> Iterator[Crowd]:
    made = Crowd(url)
    try:
        yield made
    finally:
        made.left()


async def huge(megabytes: int) -> AsyncIterator[bytes]:
    """A body of that size, which never is in memory as a whole."""
    piece = b" " * (MEGABYTE // 4)
    for _ in range(4 * megabytes):
        yield piece


def bomb() -> bytes:
    """A gigabyte of blanks, packed into some megabytes."""
    return gzip.compress(b" " * (32 * MEGABYTE), compresslevel=1) * 32


async def renew(call: Caller, token: int, times: int, crowd: Crowd | None = None) -> list[float]:
    """An honest caller's renewals, which must all succeed; how long each took, in seconds.

    The crowd dribbles meanwhile.
    """
    took = []
    for _ in range(times):
        if crowd is not None:
            crowd.dribble()
        begin = time.perf_counter()
        answer = await call("PUT", CLAIM, {"load": "x", "fencingToken": token})
        took.append(time.perf_counter() - begin)
        assert answer.status == 200, answer
    return took


def p99(took: list[float]) -> float:
    return sorted(took)[len(took) * 99 // 100]

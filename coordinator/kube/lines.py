"""A watch's answer as JSON objects, one a line."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self

import aiohttp

from coordinator.kube.answers import Json, lost, parse_object

if TYPE_CHECKING:
    from coordinator.kube.calls import Call
    from coordinator.kube.wire import Answer

MAX_LINE = 32 * 1024 * 1024
"""Bytes. etcd takes objects of 1.5 MiB; what is far longer is no watch."""


class Lines:
    """The objects of a watch, in order. aiohttp's own `readline` gives up at 64 KiB."""

    def __init__(self, call: Call, answer: Answer) -> None:
        self._call = call
        self._answer = answer
        self._closed = False
        self._whole: deque[bytes] = deque()
        self._part = bytearray()

    def close(self) -> None:
        """Ends the iteration, from any task of the same loop."""
        self._closed = True
        self._answer.drop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Json:
        while not self._whole and not self._closed:
            self._split(await self._chunk())
        if self._closed:
            raise StopAsyncIteration
        return parse_object(self._call, self._whole.popleft())

    async def _chunk(self) -> bytes:
        """The next bytes; at the end, however it came, the iteration is closed."""
        try:
            chunk = await self._answer.content.readany()
        except TimeoutError:
            chunk = b""  # silent for too long, or its time is over: the caller watches anew
        except (aiohttp.ClientError, OSError) as error:
            if not self._closed:
                raise lost(
                    self._call, f"the stream broke: {type(error).__name__}: {error}"
                ) from None
            chunk = b""
        self._closed = self._closed or not chunk
        return chunk

    def _split(self, chunk: bytes) -> None:
        self._part += chunk
        if b"\n" in chunk:
            *whole, tail = bytes(self._part).split(b"\n")
            self._whole.extend(line for line in whole if line.strip())
            self._part = bytearray(tail)
        if len(self._part) > MAX_LINE:
            raise lost(self._call, f"a line of the stream is longer than {MAX_LINE} bytes")

"""An API server's front that can answer 503 by itself, and then counts who asks.

Coordinators speak plain HTTP to it, so that it can read along; it speaks TLS to the API server.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.chaos.history import ELECTION
from tests.chaos.links import Link

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_AWAY = "\r\n".join(
    (
        "HTTP/1.1 503 Service Unavailable",
        "content-type: text/plain",
        "content-length: 4",
        "",
        "away",
    )
).encode()


class Front(Link):
    """A link that is no mere wire. `asked` counts the requests of the outage, by stream."""

    scheme = "http"

    def __init__(self, name: str, port: int, rng: Random, ca_file: Path | None) -> None:
        super().__init__(name, [port], rng)
        self._trusted = ssl.create_default_context(cafile=ca_file)
        self._is_away = False
        self.asked: Counter[str] = Counter()

    def go_away(self) -> None:
        """Ends every connection, watches too, and answers 503 from now on."""
        self._is_away = True
        self.asked.clear()
        self.cut()

    def come_back(self) -> None:
        """Connections that saw a 503 are ended: the next ones lead to the API server."""
        self._is_away = False
        self.cut()

    async def _dial(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port, ssl=self._trusted)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]
    ) -> None:
        if not self._is_away:
            return await super()._pass_on(reader, writers)
        try:
            while True:
                await self._refuse(reader, writers[0])
        except asyncio.IncompleteReadError:
            return None

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(fields.get("content-length", 0)))
        method, path, _ = head[0].split(" ")
        self.asked[stream_of(method, path)] += 1
        writer.write(_AWAY)
        await writer.drain()


def stream_of(method: str, target: str) -> str:
    """Which of the coordinator's streams of requests this one belongs to."""
    split = urlsplit(target)
    parts = split.path.split("/")
    selected = parse_qs(split.query).get("fieldSelector", [""])
    if parts[-1] == ELECTION:
        return "election Lease, reads and writes"
    if ELECTION in selected[0]:
        return "election Lease, watch"
    if "leases" in parts and (method != "GET" or parts[-1] != "leases"):
        return "slots' Leases, writes"
    return f"{parts[-1]}, {'watch' if method == 'GET' else 'writes'}"

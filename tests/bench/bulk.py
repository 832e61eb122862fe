"""Many objects into the API server, fast."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

AT_ONCE = 32


class Bulk:
    """Sends each object to its path."""

    def __init__(self, url: str, token: str, ca: Path | str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._context = ssl.create_default_context(cafile=str(ca))

    async def send(self, method: str, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """All of them. Raises `aiohttp.ClientResponseError` at the first that is refused."""
        connector = aiohttp.TCPConnector(ssl=self._context, limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector, headers=self._headers) as session:
            left = iter(objects)
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._some(session, method, left))

    async def _some(
        self,
        session: aiohttp.ClientSession,
        method: str,
        left: Iterator[tuple[str, dict[str, Any]]],
    ) -> None:
        for path, obj in left:
            body = orjson.dumps(obj)
            async with session.request(method, f"{self._url}/{path}", data=body) as answer:
                await answer.read()
                answer.raise_for_status()

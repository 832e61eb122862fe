"""The calls of one node to its coordinator, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from agent_client.http.answers import authorization, reply_of
from agent_client.http.calls import Caller

if TYPE_CHECKING:
    from agent_client.messages import Reply
    from agent_client.settings import Settings


class Transport(Protocol):
    """What the client needs to reach a coordinator; tests bring their own."""

    async def sync(self, body: dict[str, Any], timeout: float) -> Reply:
        """Send one sync and return its answer within `timeout` seconds, or raise `NoAnswer`."""

    async def close(self) -> None:
        """Let the connections go; a later `sync` opens new ones."""


class HttpTransport:
    """The calls of one node over HTTP or HTTPS. Proxy settings of the machine are ignored."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._caller = Caller(settings.url, settings.ca_file)
        self._sync = f"{settings.node_path}/sync"

    async def sync(self, body: dict[str, Any], timeout: float) -> Reply:
        """As in `Transport`."""
        content = json.dumps(body, separators=(",", ":")).encode()
        return await self._call("POST", self._sync, content, timeout)

    async def get(self, path: str, timeout: float) -> Reply:
        """What the coordinator has at `path`, which follows its URL. Raises `NoAnswer`."""
        return await self._call("GET", path, b"", timeout)

    async def close(self) -> None:
        """As in `Transport`."""
        await self._caller.close()

    async def _call(self, method: str, path: str, body: bytes, timeout: float) -> Reply:
        headers = authorization(self._settings.token_file)
        if body:
            headers["Content-Type"] = "application/json"
        answer = await self._caller.call(method, path, headers, body, within=timeout)
        return reply_of(self._settings.url, answer.status, answer.headers, answer.body)

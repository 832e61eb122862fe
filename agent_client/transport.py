"""HTTP to the coordinator: one keep-alive connection pool, one call."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agent_client.errors import NoAnswer
from agent_client.messages import Reply

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from agent_client.settings import Settings

CONNECT_TIMEOUT = 3.0
"""Seconds for a connection: a coordinator is near, and another replica may answer instead."""
LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes. A thousand queued claims with their holders stay well below."""


class Transport(Protocol):
    """What the client needs to reach a coordinator; tests bring their own."""

    async def sync(self, body: dict[str, Any], timeout: float) -> Reply:
        """Send one sync and return its answer within `timeout` seconds, or raise `NoAnswer`."""

    async def close(self) -> None:
        """Let the connections go; a later `sync` opens new ones."""


class HttpTransport:
    """The sync call of one node over HTTP or HTTPS. Proxy settings of the machine are ignored."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: ClientSession | None = None

    async def sync(self, body: dict[str, Any], timeout: float) -> Reply:
        """As in `Transport`."""
        import aiohttp
        import orjson

        try:
            headers = {"Content-Type": "application/json", **self._authorization()}
            session = self._opened()
            async with asyncio.timeout(timeout):
                async with session.post(
                    self._path(), data=orjson.dumps(body), headers=headers, allow_redirects=False
                ) as response:
                    return await _read(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}".rstrip(": ")) from error

    async def close(self) -> None:
        """As in `Transport`."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> ClientSession:
        """Made on first use, because it belongs to the running loop."""
        import aiohttp

        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls())
            self._session = aiohttp.ClientSession(
                base_url=self._settings.url + "/",
                connector=connector,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            )
        return self._session

    def _tls(self) -> ssl.SSLContext | bool:
        ca_file = self._settings.ca_file
        return ssl.create_default_context(cafile=ca_file) if ca_file else True

    def _path(self) -> str:
        from urllib.parse import quote

        namespace, node = self._settings.namespace, self._settings.node
        return f"v1/namespaces/{quote(namespace, safe='')}/nodes/{quote(node, safe='')}/sync"

    def _authorization(self) -> dict[str, str]:
        """Read at every request: a projected token is replaced while the process runs."""
        if self._settings.token_file is None:
            return {}
        token = Path(self._settings.token_file).read_text("utf-8").strip()
        return {"Authorization": f"Bearer {token}"}


async def _read(response: ClientResponse) -> Reply:
    import orjson

    content = await response.content.read(LARGEST_ANSWER)
    while not response.content.at_eof():
        more = await response.content.read(LARGEST_ANSWER)
        if len(content) + len(more) >= LARGEST_ANSWER:
            raise NoAnswer("the answer is too large to be one")
        content += more
    payload = orjson.loads(content) if content else None
    return Reply(response.status, payload, _retry_after(response.headers.get("Retry-After")))


def _retry_after(header: str | None) -> float | None:
    """Seconds; the header's date form is not used by a coordinator and is ignored."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None

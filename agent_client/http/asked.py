"""What a client asked, for the handler."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from agent_client.http.messages import Request

if TYPE_CHECKING:
    import h11


def understood(head: h11.Request, headers: dict[str, str], body: bytes) -> Request:
    """The request as handlers see it."""
    path, query = _split(head.target.decode("ascii"))
    method = head.method.decode("ascii")
    told = dict(parse_qsl(query, keep_blank_values=True))
    return Request("GET" if method == "HEAD" else method, path, told, headers, body)


def _split(target: str) -> tuple[str, str]:
    """Path and query, also of the whole URL that proxies send."""
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return path, query
    parts = urlsplit(target)
    return parts.path or "/", parts.query

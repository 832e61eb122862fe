"""The heads of requests to one server. One like the last is that one: renewals are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

if TYPE_CHECKING:
    from collections.abc import Mapping


class Heads:
    """Heads for the server at `url`, whose own path stands before that of each request."""

    _last: h11.Request

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._prefix = parts.path.rstrip("/")
        self._authority = parts.netloc
        self._asked: tuple[object, ...] = ()

    def head(self, method: str, path: str, headers: Mapping[str, str], length: int) -> h11.Request:
        """The head of a request with `length` bytes of body. Raises `h11.LocalProtocolError`."""
        asked = (method, path, length, *headers.items())
        if asked != self._asked:  # h11 looks at each byte of a new one
            self._last = self._made(method, path, headers, length)
            self._asked = asked
        return self._last

    def _made(self, method: str, path: str, headers: Mapping[str, str], length: int) -> h11.Request:
        told = [
            ("Host", self._authority),
            ("User-Agent", "node-slots"),
            ("Content-Length", str(length)),
            *headers.items(),
        ]
        target = f"{self._prefix}/{path.lstrip('/')}"
        return h11.Request(method=method, target=target, headers=told)

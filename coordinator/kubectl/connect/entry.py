"""Who may use this dashboard: whoever has the link, once, and then the browser that had it. Pure.

The dashboard asks with the user's token, so every page that a browser shows must be kept from
using it: pages of other sites (Origin, Fetch metadata and a SameSite cookie), and pages whose
name was made to point here (Host).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CODE_LIFE = 60.0
"""Seconds in which the link has to be opened."""
_BYTES = 32
_OWN_SITE = frozenset(("same-origin", "none"))
"""`none` is a person who typed the address or opened the link."""


@dataclass
class Entry:
    """The codes that were given out, and the one secret that each browser with a code gets."""

    clock: Callable[[], float]
    _secret: str = field(default_factory=lambda: secrets.token_urlsafe(_BYTES), repr=False)
    _codes: dict[str, float] = field(default_factory=dict, repr=False)

    def new_code(self) -> str:
        """A code that works once, within a minute."""
        code = secrets.token_urlsafe(_BYTES)
        self._codes[code] = self.clock() + CODE_LIFE
        return code

    def redeem(self, code: str) -> str | None:
        """The cookie's value for a good code, which is used up by that; else None."""
        end = self._codes.pop(code, None)
        return self._secret if end is not None and self.clock() < end else None

    def knows(self, cookie: str) -> bool:
        """Whether this is the cookie that `redeem` gave."""
        shown = cookie.encode(errors="surrogateescape")  # bytes that are no text come so
        return hmac.compare_digest(shown, self._secret.encode())


def foreign(method: str, headers: Mapping[str, str], port: int) -> str:
    """Why a request cannot be the dashboard's own page's; "" where it may be."""
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost")]
    host = headers.get("Host", "")
    if host not in hosts:
        return f"this is http://{hosts[0]}/ and no other host"
    origin = headers.get("Origin", "")
    if origin and origin != f"http://{host}":
        return "a page of another site may not ask here"
    if headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE and not _opened(method, headers):
        return "a page of another site may not ask here"
    if method != "GET" and not origin:
        return "who sends something has to name its Origin"
    return ""


def _opened(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a link to here was followed, in a chat or a web terminal: that shows the page to its
    user and tells the other site nothing.
    """
    return (
        method == "GET"
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
    )

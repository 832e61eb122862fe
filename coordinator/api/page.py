"""The dashboard's files, at `/` and `/page/NAME`.

They are the same for everybody and tell nothing of the cluster, so nobody is asked who it is; what
the page shows it asks the API for, with its reader's own token. Every replica serves them itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX = "index.html"

_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}
"""Content types, by what a name ends with. Anything else among the files is none of them."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # asked for again each time: another replica may be newer
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: bytes
    content_type: str
    etag: str


ASSETS: web.AppKey[Mapping[str, Asset]] = web.AppKey("assets")
"""All that is served, by name. No other name is ever looked for on the disk."""


@cache
def assets() -> Mapping[str, Asset]:
    """The page's files by name, read once."""
    found = {}
    for file in files("coordinator.page").joinpath("assets").iterdir():
        content_type = _TYPES.get(file.name.rpartition(".")[2])
        if content_type is not None:
            body = file.read_bytes()
            found[file.name] = Asset(body, content_type, sha256(body).hexdigest()[:32])
    return MappingProxyType(found)


async def get_page(request: web.Request) -> web.Response:
    """The dashboard."""
    return _serve(request, INDEX)


async def get_asset(request: web.Request) -> web.Response:
    """One of the dashboard's files."""
    return _serve(request, request.match_info["name"])


def _serve(request: web.Request, name: str) -> web.Response:
    asset = request.app[ASSETS].get(name)
    if asset is None:
        raise Problem("not-found", f"the page has no file {name}; it begins at /")
    if any(known.value in {asset.etag, "*"} for known in request.if_none_match or ()):
        response = web.Response(status=304, headers=_HEADERS)
    else:
        response = web.Response(
            body=asset.body, content_type=asset.content_type, charset="utf-8", headers=_HEADERS
        )
    response.etag = asset.etag
    return response

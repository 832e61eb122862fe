"""A whole list, page by page, for whoever looks once; `reflector` lists in order to watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.kube import errors
from coordinator.kube.client import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.kube.answers import Json
    from coordinator.kube.client import KubeClient

PAGE = 500
"""Objects in one answer, as kubectl asks."""
TIMEOUT = 30.0
"""Seconds for one answer."""


async def whole_list(
    client: KubeClient, path: str, params: Mapping[str, str] | None = None, *, accept: str = JSON
) -> list[Json]:
    """All objects of a list. Raises `ApiError`."""
    asked = dict(params or {})
    try:
        return await _pages(client, path, asked | {"limit": str(PAGE)}, accept)
    except errors.Expired:  # the pages outlived their snapshot: all at once, then
        return await _pages(client, path, asked, accept)


async def _pages(client: KubeClient, path: str, params: dict[str, str], accept: str) -> list[Json]:
    found: list[Json] = []
    while True:
        page = await client.request("GET", path, params=params, accept=accept, timeout=TIMEOUT)
        found += page.get("items") or []
        onward = (page.get("metadata") or {}).get("continue")
        if not onward:
            return found
        params = params | {"continue": str(onward)}

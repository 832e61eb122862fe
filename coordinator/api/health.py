"""What the kubelet asks, on a listener of its own and without a token: /livez, /readyz.

Plain text, as Kubernetes' own components have it: people read it with curl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.exchange import COORDINATOR
from coordinator.service.errors import NO_POOLS_LEFT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Troubles = Callable[[], dict[str, str]]

TROUBLES: web.AppKey[Troubles] = web.AppKey("troubles")
"""What else keeps this replica from serving, by name; "" where all is well."""


async def livez(_request: web.Request) -> web.Response:
    """200 while the process answers at all; an API server that is away is no reason to restart."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """200 when every pool can be served, else 503 with what is missing."""
    pools = request.app[COORDINATOR].ready() or {"coordinator": NO_POOLS_LEFT}
    checks = pools | request.app[TROUBLES]()
    if any(checks.values()):
        return web.Response(status=503, text=_lines(checks), headers={"Retry-After": "1"})
    return web.Response(text=_lines(checks))


def _lines(checks: Mapping[str, str]) -> str:
    return "".join(
        f"[-] {name}: {why}\n" if why else f"[+] {name}: ok\n" for name, why in checks.items()
    )

"""What the kubelet and Prometheus ask, on a listener of its own: /livez, /readyz, /metrics.

Plain text, as Kubernetes' own components have it: people read it with curl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.exchange import COORDINATOR
from coordinator.service.metrics import CONTENT_TYPE, Metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

METRICS: web.AppKey[Metrics] = web.AppKey("metrics", Metrics)


async def livez(_request: web.Request) -> web.Response:
    """200 while the process answers at all; an API server that is away is no reason to restart."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """200 when every pool can be served, else 503 with what is missing."""
    checks = request.app[COORDINATOR].ready()
    if any(checks.values()):
        return web.Response(status=503, text=_lines(checks), headers={"Retry-After": "1"})
    return web.Response(text=_lines(checks))


def _lines(checks: Mapping[str, str]) -> str:
    return "".join(
        f"[-] {name}: {why}\n" if why else f"[+] {name}: ok\n" for name, why in checks.items()
    )


async def metrics(request: web.Request) -> web.Response:
    """The metrics in the Prometheus text format."""
    body = request.app[METRICS].render()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

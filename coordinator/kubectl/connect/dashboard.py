"""The page in the user's own browser: a loopback server that asks the coordinator for it.

The page is the coordinator's, unchanged. It is shown no token: this process adds the user's. It can
look, and try a ConfigMap's text; nothing else is passed on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
import time
import webbrowser
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web

from coordinator.kubectl.connect.entry import Entry, foreign
from coordinator.kubectl.connect.errors import Unreachable
from coordinator.kubectl.connect.relay import pass_on, problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from coordinator.kubectl.connect.cluster import Cluster
    from coordinator.kubectl.connect.coordinator import Coordinator

ADDRESS = "127.0.0.1"
LARGEST = 4 * 1024 * 1024
"""Bytes of a ConfigMap to be tried; Kubernetes takes one MiB."""
_STOPS = (signal.SIGINT, signal.SIGTERM)
_STATIC = re.compile(r"/(?:page/[a-z0-9-]+\.[a-z0-9]+)?", re.ASCII)
"""The page itself: no secrets, and the coordinator asks for no token. No path leads further."""
_DATA = re.compile(r"/v1/.*|/openapi\.json", re.ASCII)
_PREVIEW = re.compile(r"/v1/namespaces/[^/]+/preview", re.ASCII)
_SILENT = logging.getLogger(__name__)
"""aiohttp writes a traceback with pieces of the headers for whatever bytes a stranger sends, and
would write it into the user's terminal."""
_SILENT.setLevel(logging.CRITICAL)
_USED = (
    "this link has been used, or is older than a minute; run `kubectl node-slots dashboard` again"
)


@dataclass(frozen=True)
class Dashboard:
    """A running one. `url` is where it listens."""

    url: str
    pool: str
    entry: Entry

    def link(self) -> str:
        """A new address to open: it lets one browser in, within a minute."""
        query = {"code": self.entry.new_code(), "pool": self.pool}
        return f"{self.url}/?{urlencode(query)}"


def _say(text: str) -> None:
    print(text, flush=True)


async def serve_dashboard(
    cluster: Cluster,
    *,
    port: int = 0,
    browse: bool = True,
    tell: Callable[[str], None] = _say,
) -> None:
    """Serves it until Ctrl-C or SIGTERM; the link is told, and opened where there is a desktop.

    Raises `Refused` as `Cluster.coordinator` does, and `Unreachable`, also for a port that is
    taken.
    """
    async with dashboard(cluster, port=port) as running:
        with _stopping() as stop:
            link = running.link()
            tell(f"The dashboard of pool {cluster.namespace}, until Ctrl-C:\n\n  {link}\n")
            tell("The link lets one browser in, within a minute.")
            if browse and has_desktop():
                await asyncio.to_thread(webbrowser.open, link)
            await stop.wait()


@asynccontextmanager
async def dashboard(
    cluster: Cluster, *, port: int = 0, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Dashboard]:
    """A dashboard on loopback, for as long as the context lasts; port 0 takes a free one.

    Raises as `serve_dashboard` does.
    """
    desk = _Desk(await cluster.coordinator(), Entry(clock))
    app = web.Application(client_max_size=LARGEST)
    app.router.add_route("*", "/{path:.*}", desk.answer)
    runner = web.AppRunner(
        app, handler_cancellation=True, shutdown_timeout=0.5, access_log=None, logger=_SILENT
    )
    await runner.setup()
    try:
        await _listen(runner, port)
        desk.port = runner.addresses[0][1]
        yield Dashboard(f"http://{ADDRESS}:{desk.port}", cluster.namespace, desk.entry)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, ADDRESS, port).start()
    except OSError as error:
        why = f"no dashboard at {ADDRESS}:{port}: {error.strerror}; give another --port"
        raise Unreachable(why) from None


def has_desktop() -> bool:
    """Whether there is a browser to open that would not take over the terminal."""
    shown = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return shown or sys.platform in {"darwin", "win32"}


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """Set when the user wants it to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _STOPS:
        with suppress(NotImplementedError):  # Windows: there Ctrl-C cancels the task
            loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in _STOPS:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)


class _Desk:
    """What is answered to whom."""

    def __init__(self, coordinator: Coordinator, entry: Entry) -> None:
        self._coordinator = coordinator
        self.entry = entry
        self.port = 0

    @property
    def _cookie(self) -> str:
        """Cookies know no ports: another dashboard beside this one has its own."""
        return f"node-slots-{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One request of whoever asks."""
        if why := foreign(request.method, request.headers, self.port):
            return problem(403, "foreign", why)
        if request.path == "/" and "code" in request.query:
            return self._let_in(request)
        if not _offered(request):
            return problem(404, "not-offered", "the dashboard shows the page and what it reads")
        if _DATA.fullmatch(request.path) and not self._known(request):
            return problem(401, "unauthenticated", _USED)
        return await pass_on(self._coordinator, request)

    def _let_in(self, request: web.Request) -> web.Response:
        """The cookie for the code, and on to the page without the code in its address."""
        cookie = self.entry.redeem(request.query["code"])
        if cookie is None and not self._known(request):
            return web.Response(status=403, text=f"{_USED[0].upper()}{_USED[1:]}.\n")
        rest = urlencode([pair for pair in request.query.items() if pair[0] != "code"])
        headers = {"Location": f"/?{rest}" if rest else "/", "Cache-Control": "no-store"}
        response = web.Response(status=303, headers={**headers, "Referrer-Policy": "no-referrer"})
        if cookie is not None:
            response.set_cookie(self._cookie, cookie, httponly=True, samesite="Strict")
        return response

    def _known(self, request: web.Request) -> bool:
        return self.entry.knows(request.cookies.get(self._cookie, ""))


def _offered(request: web.Request) -> bool:
    """Looking, and the one POST that changes nothing."""
    if request.method == "GET":
        return bool(_STATIC.fullmatch(request.path) or _DATA.fullmatch(request.path))
    return request.method == "POST" and bool(_PREVIEW.fullmatch(request.path))

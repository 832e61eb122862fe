"""Replicas that keep one certificate, on an API server and at times that the test chooses."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import jsonpatch
import orjson
from aiohttp import web

from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.tls.certificates import Certificates
from coordinator.tls.config_map import ConfigMap
from coordinator.tls.names import names_of, server_name
from coordinator.tls.publisher import Publisher
from coordinator.tls.reports import Reports
from coordinator.tls.secret import SecretSource
from coordinator.tls.stored import Stored, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from coordinator.tls.publisher import Place

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HOME, CLIENTS = "velero", "imports"
SECRET, CONFIG_MAP = "node-slots-tls", "node-slots-ca"
SECRET_PATH = f"/api/v1/namespaces/{HOME}/secrets/{SECRET}"
NAMES = names_of("node-slots", HOME, ["127.0.0.1"])
SERVER = server_name("node-slots", HOME)
DEADLINE = 60.0
"""Seconds that only a fault lasts."""
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def config_map_path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps/{CONFIG_MAP}"


class Steps:
    """Stands in for `sleep`: whoever sleeps goes on when the test says so."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._step = asyncio.Condition()

    async def sleep(self, seconds: float) -> None:
        async with self._step:
            self.slept.append(seconds)
            self._step.notify_all()
            await self._step.wait()

    async def begun(self) -> None:
        """Waits until it sleeps for the first time."""
        async with asyncio.timeout(DEADLINE), self._step:
            await self._step.wait_for(lambda: bool(self.slept))

    async def again(self) -> None:
        """Wakes the sleeper up, and waits until it sleeps again."""
        async with asyncio.timeout(DEADLINE), self._step:
            done = len(self.slept)
            self._step.notify_all()
            await self._step.wait_for(lambda: len(self.slept) > done)


@dataclass
class Counted:
    """The numbers that were told."""

    expires: list[float] = field(default_factory=list)
    unpublished: list[str] = field(default_factory=list)

    def certificate_expires(self, at: float) -> None:
        self.expires.append(at)

    def publishes_ca(self, namespaces: Iterable[str]) -> None:
        """Nothing to count yet."""

    def ca_unpublished(self, namespace: str) -> None:
        self.unpublished.append(namespace)


@dataclass
class Scene:
    """The server, and what happens to requests on their way to it."""

    store: Store
    client: KubeClient
    now: datetime = NOW
    seconds: float = 0.0
    requests: list[tuple[str, str]] = field(default_factory=list)
    refusals: dict[tuple[str, str], int] = field(default_factory=dict)
    """A status for each method and path that is refused."""
    others: dict[str, Any] = field(default_factory=dict)
    """Objects by path that the server itself does not know; they can be patched."""
    before: dict[tuple[str, str], Callable[[], Awaitable[object]]] = field(default_factory=dict)
    """What happens, once, right before a request of that method and path."""

    @web.middleware
    async def meddle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = (request.method, request.path)
        self.requests.append(asked)
        if (first := self.before.pop(asked, None)) is not None:
            await first()
        if asked in self.refusals:
            return _refusal(self.refusals[asked])
        if request.path in self.others:
            return await self._patched(request)
        return await handler(request)

    async def _patched(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json-patch+json"
        try:
            changed = jsonpatch.apply_patch(self.others[request.path], await request.json())
        except jsonpatch.JsonPatchTestFailed:
            return _refusal(422)
        self.others[request.path] = changed
        return web.json_response(changed)

    def pass_time(self, **parts: float) -> None:
        """Both clocks move on, by days or whatever a timedelta knows."""
        self.now += timedelta(**parts)
        self.seconds += timedelta(**parts).total_seconds()

    async def make(self, plural: str, name: str, namespace: str = HOME) -> None:
        body = f'{{"metadata": {{"name": "{name}"}}}}'.encode()
        await self.client.request("POST", f"/api/v1/namespaces/{namespace}/{plural}", body=body)

    async def secret(self) -> Any:
        return await self.client.request("GET", SECRET_PATH)

    async def put(self, data: dict[str, bytes]) -> None:
        """An operator's hand: these are the Secret's values from now on."""
        coded = {name: base64.b64encode(value).decode() for name, value in data.items()}
        body = orjson.dumps({**await self.secret(), "data": coded})
        await self.client.request("PUT", SECRET_PATH, body=body)

    async def values(self) -> dict[str, bytes]:
        data = (await self.secret()).get("data") or {}
        return {name: base64.b64decode(text) for name, text in data.items()}

    async def stored(self) -> Stored:
        return read(await self.values())

    async def published(self, namespace: str = HOME) -> bytes:
        found = await self.client.request("GET", config_map_path(namespace))
        return str((found.get("data") or {}).get("ca.crt", "")).encode()

    def replica(
        self, *, leading: bool = True, names: Sequence[str] = NAMES, more: Sequence[Place] = ()
    ) -> Replica:
        """`more` are places to publish to, beside the ConfigMaps."""
        return Replica(self, leading, names, more)


def _refusal(status: int) -> web.Response:
    reason = {403: "Forbidden", 404: "NotFound", 422: "Invalid", 500: "InternalError"}
    told = {"kind": "Status", "reason": reason[status], "message": "so", "code": status}
    return web.json_response(told, status=status)


class Replica:
    """One replica's certificates; `steps` moves its looks, `publishing` its publisher's."""

    def __init__(
        self, scene: Scene, leading: bool, names: Sequence[str], more: Sequence[Place] = ()
    ) -> None:
        self.leading = leading
        self.steps = Steps()
        self.counted = Counted()
        reports, rng = Reports(self.counted), Random(7)
        self.publisher = Publisher(
            scene.client,
            [*(ConfigMap(name, CONFIG_MAP) for name in (HOME, CLIENTS)), *more],
            reports,
            leading=lambda: self.leading,
            clock=lambda: scene.seconds,
            rng=rng,
        )
        self.source = SecretSource(
            scene.client,
            HOME,
            SECRET,
            names,
            self.publisher,
            reports,
            leading=lambda: self.leading,
            wall=lambda: scene.now,
        )
        self.certificates = Certificates(
            self.source, SERVER, reports, rng=rng, sleep=self.steps.sleep
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Certificates]:
        """With the first look done."""
        async with asyncio.timeout(DEADLINE), self.certificates:
            await self.certificates.ready()
            yield self.certificates


@asynccontextmanager
async def opened() -> AsyncIterator[Scene]:
    store = Store()
    scene: Scene

    @web.middleware
    async def meddle(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await scene.meddle(request, handler)

    server = await start(store, middlewares=[meddle])
    try:
        async with KubeClient(OpenAccess(server.url)) as client:
            scene = Scene(store, client)
            for namespace in (HOME, CLIENTS):
                body = f'{{"metadata": {{"name": "{namespace}"}}}}'.encode()
                await client.request("POST", "/api/v1/namespaces", body=body)
                await scene.make("configmaps", CONFIG_MAP, namespace)
            await scene.make("secrets", SECRET)
            scene.requests.clear()
            yield scene
    finally:
        await server.stop()

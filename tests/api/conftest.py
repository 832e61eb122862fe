"""Both listeners, as `serve` opens them, in front of a coordinator that a test controls."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import orjson
import pytest

from coordinator.api.app import api_app, health_app, listen
from coordinator.core.access import Admissions, ClientNamespace
from coordinator.service.metrics import Metrics
from tests.api.callers import FakeCallers
from tests.api.fakes import GRANTED, FakeCoordinator, FakePool
from tests.api.living import living

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from coordinator.service.callers import Callers
    from coordinator.service.coordinator import Coordinator
    from tests.api.living import Living

NODE = "/v1/namespaces/velero/nodes/node1"
CLAIM = NODE + "/claims/c1"
SYNC = NODE + "/sync"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.text)

    @property
    def problem(self) -> str:
        """The problem's name, after a look at what every problem must have."""
        assert self.headers["Content-Type"] == "application/problem+json"
        body = self.json
        assert body["status"] == self.status
        assert body["detail"]
        assert self.headers.get("Retry-After", "") == str(body.get("retryAfter", ""))
        assert ("Retry-After" in self.headers) or self.status not in {429, 503}
        return str(body["type"]).removeprefix("https://nodeslots.io/problems/")


class Caller:
    """Sends requests to one listener."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def __call__(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        if body is not None:
            options["data"] = BytesIO(orjson.dumps(body))
            options.setdefault("headers", {"Content-Type": "application/json"})
        async with self.session.request(method, self.url + path, **options) as answer:
            return Answer(answer.status, answer.headers, await answer.text())


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def coordinator(pool: FakePool) -> Coordinator:
    return cast("Coordinator", FakeCoordinator(pool))


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(trust_env=False, timeout=timeout) as session:
        yield session


@pytest.fixture
async def api(
    coordinator: Coordinator, metrics: Metrics, session: aiohttp.ClientSession
) -> AsyncIterator[Caller]:
    metrics.watch(coordinator.pools.values)
    listener = await listen(api_app(coordinator, metrics), "127.0.0.1", 0)
    yield Caller(session, listener.url)
    await listener.close()


@pytest.fixture
async def health(coordinator: Coordinator, session: aiohttp.ClientSession) -> AsyncIterator[Caller]:
    listener = await listen(health_app(coordinator), "127.0.0.1", 0)
    yield Caller(session, listener.url)
    await listener.close()


@pytest.fixture
async def alive(session: aiohttp.ClientSession) -> AsyncIterator[Living]:
    """A real coordinator with three nodes."""
    async with living(partial(Caller, session)) as made:
        yield made


@pytest.fixture
def known(coordinator: Coordinator, pool: FakePool) -> FakeCallers:
    """From now on callers are asked who they are; batch may claim up to priority 5."""
    fake = FakeCallers()
    coordinator.callers = cast("Callers", fake)
    coordinator.admissions = Admissions(["velero"], [ClientNamespace("velero", "batch", 5)])
    pool.answer = GRANTED
    return fake


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port where nobody listens, kept from others by being bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]

"""The API server as the coordinators' processes meet it: requests with a fate, and outages."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.embedded.errors import ApiError as Refusal
from coordinator.kube import errors
from coordinator.kube.answers import failure, lost
from coordinator.kube.calls import Call, call_of
from coordinator.kube.client import JSON, KubeClient
from coordinator.kube.credentials import OpenAccess
from tests.simulation.fates import Fate, fate_of
from tests.simulation.loop import PROCESS
from tests.simulation.streams import SimLines, open_stream
from tests.simulation.verbs import perform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from random import Random

    from coordinator.embedded.store import Store
    from coordinator.kube.lines import Lines
    from tests.simulation.log import Log
    from tests.simulation.loop import Process, VirtualLoop
    from tests.simulation.plan import Plan
    from tests.simulation.watcher import Watcher

Json = dict[str, Any]


@dataclass(eq=False, slots=True)
class Sent:
    """One request to the API server, and what is known of its course."""

    number: int
    process: Process
    call: Call
    method: str
    path: str
    params: Mapping[str, str]
    body: bytes | None
    accept: str
    at: float
    """When it was sent, by the world's clock."""
    effects: int = 0
    """How often it arrived."""
    version: int = 0
    """The store's version when its answer was true."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What judges made of it."""

    @property
    def writes_lease(self) -> bool:
        return self.method != "GET" and self.call.resource == "leases.coordination.k8s.io"


@dataclass(slots=True)
class Weather:
    """How the API server is at the moment: "" well, "refusing", "silent" or "503"."""

    state: str = ""
    cut_off: dict[str, None] = field(default_factory=dict)
    """Processes that do not reach it."""

    def of(self, process: Process) -> str:
        return "silent" if process.name in self.cut_off else self.state


_IN_OUTAGE = {
    "refusing": Fate(inf, 0.002, "refused"),
    "silent": Fate(inf, inf),
    "503": Fate(inf, 0.005, 503),
}


class ApiServer:
    """All processes' way to the store. `acting` is whose request takes effect right now."""

    def __init__(
        self, store: Store, loop: VirtualLoop, rng: Random, plan: Plan, log: Log, watcher: Watcher
    ) -> None:
        self.store = store
        self.loop = loop
        self.rng = rng
        self.faults = plan.api
        self.watch_faults = plan.watch
        self.log = log
        self.watcher = watcher
        self.weather = Weather()
        self.acting: Sent | None = None
        self.streams: dict[SimLines, None] = {}
        self.on_crash: Callable[[Process], object] = lambda process: process.kill()
        self.crash_in = 0
        """After so many more steps of requests the process that takes it dies; 0: none does."""
        self._numbers = 0

    def note(self, method: str, path: str, **details: Any) -> Sent:
        """A request of the process that runs right now."""
        self._numbers += 1
        process = PROCESS.get()
        assert process is not None, "only processes send requests"
        call = call_of(method, path, details.get("params"))
        return Sent(self._numbers, process, call, method, path, at=self.loop.time(), **details)

    async def exchange(self, sent: Sent, timeout: float) -> Json:
        """The true answer, or what came in its place. Raises `ApiError`."""
        fate = self._fate(sent)
        answer: asyncio.Future[Json] = self.loop.create_future()
        self.watcher.sent(sent)
        self._log_sending(sent, fate)
        if fate.there < inf:
            self.loop.in_world(fate.there, self._arrive, sent, fate, answer)
        if fate.again < inf:
            self.loop.in_world(fate.again, self._effect, replace(sent))
        if fate.told and fate.back < inf:
            self.loop.in_world(fate.back, _tell, answer, _instead(sent, fate))
        await self._step(sent)
        try:
            async with asyncio.timeout(timeout):
                found = await answer
        except TimeoutError:
            error: errors.ApiError = lost(sent.call, "no answer in time")
        except errors.ApiError as failed:
            error = failed
        else:
            await self._step(sent)
            self.watcher.answered(sent, found)
            return found
        self.log(sent.process.name, f"#{sent.number} {type(error).__name__}")
        self.watcher.failed(sent, error)
        raise error

    def _fate(self, sent: Sent) -> Fate:
        weather = self.weather.of(sent.process)
        if weather:
            return _IN_OUTAGE[weather]
        return fate_of(self.rng, self.faults, writes=not sent.call.reads)

    def _log_sending(self, sent: Sent, fate: Fate) -> None:
        what = f"{sent.method} {sent.path.rpartition('/v1/')[2]} #{sent.number}"
        end = fate.told or ("never answered" if fate.back == inf else "")
        self.log(sent.process.name, f"{what} there={fate.there:.3f} back={fate.back:.3f} {end}")

    async def _step(self, sent: Sent) -> None:
        """A write was sent, or its answer has come: a moment at which a process may die."""
        if self.crash_in and sent.writes_lease:
            self.crash_in -= 1
            if not self.crash_in:
                self.on_crash(sent.process)
                await asyncio.sleep(0)

    def _arrive(self, sent: Sent, fate: Fate, answer: asyncio.Future[Json]) -> None:
        outcome = self._effect(sent, fate.sendings)
        for _ in range(fate.sendings - 1):
            outcome = self._effect(sent, fate.sendings)
        if not fate.told and fate.back < inf:
            self.loop.in_world(fate.back - fate.there, _tell, answer, outcome)

    def _effect(self, sent: Sent, sendings: int = 1) -> Json | errors.ApiError:
        """What the server does, whoever still waits for it."""
        self.acting = sent
        sent.effects += 1
        try:
            return perform(self.store, sent.method, sent.path, sent.params, sent.body, sent.accept)
        except Refusal as refusal:
            body = orjson.dumps(refusal.render())
            return failure(sent.call, refusal.status, body, sendings=sendings)
        finally:
            self.acting, sent.version = None, self.store.version

    async def open(self, sent: Sent, silence: float) -> SimLines:
        """A watch. Raises `ApiError`."""
        fate = self._fate(sent)
        self.watcher.sent(sent)
        self._log_sending(sent, fate)
        await asyncio.sleep(min(fate.back, 30.0))
        if fate.told or fate.back == inf:
            raise _instead(sent, replace(fate, told=fate.told or "cut"))
        lines = open_stream(self, sent, silence)
        self.streams[lines] = None
        return lines


def _tell(answer: asyncio.Future[Json], outcome: Json | errors.ApiError) -> None:
    if answer.done():
        return
    if isinstance(outcome, errors.ApiError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _instead(sent: Sent, fate: Fate) -> errors.ApiError:
    """The error that a process meets in place of the true answer."""
    if isinstance(fate.told, int):
        return failure(sent.call, fate.told, b"", retry_after=fate.retry_after)
    if fate.told == "refused" and not sent.call.reads:
        return errors.NotSent(sent.call, "connection refused")
    return lost(sent.call, "the connection broke")


class SimClient(KubeClient):
    """A `KubeClient` of the process in whose context it is used."""

    def __init__(self, api: ApiServer) -> None:
        super().__init__(OpenAccess("http://api"))
        self._api = api

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = 10.0,
        call: Call | None = None,
    ) -> Json:
        sent = self._api.note(method, path, params=dict(params or {}), body=body, accept=accept)
        return await self._api.exchange(sent, timeout)

    @asynccontextmanager
    async def watch(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        accept: str = JSON,
        timeout: float,
        silence: float,
        opening: float = 30.0,
    ) -> AsyncIterator[Lines]:
        sent = self._api.note("GET", path, params=dict(params), body=None, accept=accept)
        lines = await self._api.open(sent, silence)
        try:
            yield lines
        finally:
            lines.close()

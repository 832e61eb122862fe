"""Elections in virtual time: candidates on an API server that takes faults, without sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Self, cast

import orjson

from coordinator.embedded.errors import ApiError as Refusal
from coordinator.embedded.listing import Query
from coordinator.embedded.resources import LEASES
from coordinator.embedded.store import Store
from coordinator.embedded.watching import Watch
from coordinator.kube.answers import Json, failure, lost
from coordinator.kube.calls import Call, call_of
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.kube.election import Elector, Timing
from coordinator.kube.microtime import microtime
from tests.agent_client.virtual import now

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from coordinator.kube.lines import Lines

NS, NAME = "default", "node-slots-coordinator"
FIELDS = f"metadata.name={NAME}"
HANG = 1e6


@dataclass(frozen=True)
class Fate:
    """What becomes of one request: seconds there and back, and what happens in between.

    `late` is when it takes effect after all, in seconds from its arrival; None: then it does at
    once. `code` is told instead of the result.
    """

    there: float = 0.01
    back: float = 0.01
    late: float | None = None
    code: int = 0
    retry_after: str | None = None


WELL = Fate()
LOST = Fate(there=HANG)
NO_ANSWER = Fate(back=HANG)
AWAY = Fate(code=503)


def writes(fate: Fate) -> Callable[[Call], Fate]:
    """Reads go well."""
    return lambda call: WELL if call.reads else fate


@dataclass(frozen=True)
class Sent:
    at: float
    who: str
    verb: str
    timeout: float


@dataclass
class ApiServer:
    """One store, reached by each candidate over a connection of its own."""

    store: Store = field(default_factory=Store)
    fate: Callable[[Call], Fate] = lambda _call: WELL
    sent: list[Sent] = field(default_factory=list)
    deaf: bool = False
    """Whether open watches keep silent."""
    _late: list[asyncio.Task[Any]] = field(default_factory=list)

    def requests(self, who: str, since: float = 0.0) -> list[Sent]:
        """What the candidate's own requests were, its watch's aside."""
        ours = {"get", "create", "update"}
        return [x for x in self.sent if x.who == who and x.verb in ours and x.at >= since]

    def lease(self) -> Json:
        return self.store.get(LEASES, NS, NAME)

    @property
    def holder(self) -> str:
        return str(self.lease()["spec"]["holderIdentity"])

    def by_hand(self, change: Json) -> None:
        self.store.patch(LEASES, NS, NAME, change)

    async def perform(self, call: Call, body: bytes | None, fate: Fate) -> Json:
        await asyncio.sleep(fate.there)
        if fate.late is not None:
            self._late.append(asyncio.create_task(self._later(call, body, fate.late)))
            raise lost(call, "the proxy gave up", status=504)
        if fate.code and fate.back < HANG:
            await asyncio.sleep(fate.back)
            raise failure(call, fate.code, b"", retry_after=fate.retry_after)
        try:
            result = self._effect(call, body)
        except Refusal as refusal:
            await asyncio.sleep(fate.back)
            raise failure(call, refusal.status, orjson.dumps(refusal.render())) from None
        await asyncio.sleep(fate.back)
        return result

    async def _later(self, call: Call, body: bytes | None, seconds: float) -> None:
        await asyncio.sleep(seconds)
        with suppress(Refusal):
            self._effect(call, body)

    def _effect(self, call: Call, body: bytes | None) -> Json:
        if call.verb == "list":
            page = self.store.page(LEASES, Query(namespace=NS, field_selector=FIELDS))
            items = [one.copy(LEASES) for one in page.entries]
            return {"metadata": {"resourceVersion": str(page.version)}, "items": items}
        if call.verb == "get":
            return self.store.get(LEASES, NS, call.name)
        obj = orjson.loads(body or b"")
        if call.verb == "create":
            return self.store.create(LEASES, NS, obj)
        return self.store.update(LEASES, NS, call.name, obj)[0]


class Stream:
    """A watch of the election Lease: what `KubeClient.watch` gives its reader."""

    def __init__(self, server: ApiServer, since: int, seconds: float) -> None:
        self._server = server
        self._end = now() + seconds
        query = Query(namespace=NS, field_selector=FIELDS)
        self._watch = Watch(server.store, LEASES, query, since)
        self._news = asyncio.Event()
        self._ready: list[Json] = []
        self.unsubscribe = server.store.subscribe(lambda _event: self._news.set())

    def close(self) -> None:
        self._end = -1.0
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Json:
        while not self._ready:
            self._news.clear()
            if not self._server.deaf:
                changes = self._watch.changes()
                self._ready = [{"type": kind, "object": one.copy(LEASES)} for kind, one in changes]
            if not self._ready:
                await self._wait()
        return self._ready.pop(0)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout_at(self._end):
                await self._news.wait()
        except TimeoutError:
            raise StopAsyncIteration from None
        await asyncio.sleep(0.01)


class Connection(KubeClient):
    """A candidate's client of the server, with the typed errors of the real one."""

    def __init__(self, server: ApiServer, who: str) -> None:
        super().__init__(OpenAccess("http://nowhere"))
        self._server = server
        self._who = who
        self._open: list[asyncio.Task[Json]] = []

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "",
        accept: str = "",
        timeout: float = 10.0,
        call: Call | None = None,
    ) -> Json:
        call = call or call_of(method, path, params)
        self._server.sent.append(Sent(now(), self._who, call.verb, timeout))
        # It goes on at the server when the caller has given up.
        work = asyncio.create_task(self._server.perform(call, body, self._server.fate(call)))
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._open.append(work)
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(work)
        except TimeoutError:
            raise lost(call, "no answer in time") from None

    @asynccontextmanager
    async def watch(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        accept: str = "",
        timeout: float,
        silence: float,
        opening: float = 30.0,
    ) -> AsyncIterator[Lines]:
        call = call_of("GET", path, params)
        self._server.sent.append(Sent(now(), self._who, call.verb, timeout))
        fate = self._server.fate(call)
        if fate.code or fate.there >= opening:
            await asyncio.sleep(min(fate.there, opening))
            raise failure(call, fate.code or 504, b"")
        stream = Stream(self._server, int(params["resourceVersion"]), min(timeout, silence))
        try:
            yield cast("Lines", stream)
        finally:
            stream.unsubscribe()


@dataclass
class Boottime:
    """A clock with a zero and a pace of its own; `ahead` is what it jumped."""

    ahead: float = 0.0
    pace: float = 1.0

    def __call__(self) -> float:
        return now() * self.pace + self.ahead


class Peer:
    """A candidate that takes part, and the journal of what it was told."""

    def __init__(
        self,
        server: ApiServer,
        name: str,
        *,
        seed: int = 1,
        clock: Boottime | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.clock = clock or Boottime(ahead=1000.0 * len(name))
        self.trouble: list[str] = []
        self.elector = Elector(
            Connection(server, name),
            NS,
            NAME,
            identity=name,
            url=f"http://{name}",
            clock=self.clock,
            stamp=lambda: microtime(1.7e9 + now()),
            rng=Random(f"{name} {seed}"),
            timing=timing,
            told=lambda error: self.trouble.append(str(error or "well")),
        )
        self.told: list[tuple[float, bool, str]] = []
        self.listeners: list[Callable[[], None]] = []
        self.task = asyncio.create_task(self.elector.run(self._changed))

    @property
    def leads(self) -> bool:
        """As everybody who answers has to judge it."""
        return self.clock() < self.elector.deadline

    @property
    def follows(self) -> str:
        return self.elector.leader.identity if self.elector.leader else ""

    def _changed(self) -> None:
        self.told.append((now(), self.elector.deadline > float("-inf"), self.follows))
        for listener in self.listeners:
            listener()

    async def stop(self) -> None:
        """As by SIGKILL: nothing is sent any more."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(what: Callable[[], object], within: float = 60.0) -> float:
    """Lets time pass until `what()`; the seconds that it took, to a hundredth."""
    begun = now()
    while not what():
        assert now() - begun < within, f"not so within {within:g} s"
        await asyncio.sleep(0.01)
    return now() - begun

"""Two coordinators that both lead, and many clients that ask both for few slots.

What is judged is what the clients saw: from the answer that grants until the release is sent.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Self

import orjson

from coordinator.core import happenings
from coordinator.core.claims import Policy
from coordinator.core.messages import Ask
from coordinator.core.model import Terms
from coordinator.core.views import Granted, Queued, Released, Settling
from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.kube.client import MERGE_PATCH, KubeClient
from coordinator.kube.leases import LeaseStore, leases_path
from coordinator.kube.records import parse
from coordinator.service.coordinator import Coordinator
from coordinator.service.metrics import Metrics
from coordinator.service.sources import PoolSpec
from tests.e2e.holds import Hold
from tests.e2e.seasoning import SeasonedClient, Seasoning
from tests.e2e.waiting import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from coordinator.core.happenings import Happening
    from coordinator.core.model import Lease
    from coordinator.kube.credentials import Access
    from coordinator.service.pool import Pool
    from tests.e2e.seasoning import Bug

CONFIG = "limits"
MOST = 3
TTL = 10
FASTER = 20
"""Pauses after failures are so many times shorter here, so that much happens in a minute."""


@dataclass(frozen=True)
class Ground:
    """Where a run takes place: whoever makes it has every right, the coordinators have theirs."""

    hand: Access
    coordinators: Access
    namespace: str = ""
    """One that is there already; else the run makes its own."""


class Figures(Metrics):
    """Counts grants as plain numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: Counter[str] = Counter()

    def happened(self, namespace: str, what: Happening) -> None:
        match what:
            case happenings.Granted():
                self.kinds["grants"] += 1
            case happenings.HandedOver():
                self.kinds["hand-overs"] += 1
            case happenings.Reclaimed():
                self.kinds[f"reclaims ({what.cause.value})"] += 1

    def unknown(self, namespace: str) -> None:
        self.kinds["unknown outcomes"] += 1


@dataclass
class Hammer:
    """One run. `async with` makes the namespace, the nodes and both coordinators."""

    ground: Ground
    seasoning: Seasoning = field(default_factory=Seasoning)
    bug: Bug | None = None
    limits: tuple[int, ...] = (3, 2, 3, 1)
    """Taken by turns, one every `turn` seconds; none is above `MOST`."""
    turn: float = 0.5
    clients: int = 30
    impatience: float = 0.1
    """The share of requests whose client goes away before the answer."""
    half_open: float = 0.5
    """The share of those of which the coordinator does not notice that."""
    longest: float = 0.03
    """Seconds for which a client holds its slot at most."""
    seed: int = 1

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        mark = uuid.uuid4().hex[:8]
        self.namespace = self.ground.namespace or f"hammer-{mark}"
        self.nodes = [f"node-a-{mark}", f"node-b-{mark}"]
        self.holds: list[Hold] = []
        self.told: Counter[str] = Counter()
        self.figures = Figures()
        self.writers: list[SeasonedClient] = []
        self.pools: list[Pool] = []
        self._stack = AsyncExitStack()
        self._over = asyncio.Event()
        self._unheard: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _start(self) -> None:
        self.hand = await self._stack.enter_async_context(KubeClient(self.ground.hand))
        if not self.ground.namespace:
            await self._make(resource_path("namespaces"), {"metadata": {"name": self.namespace}})
        for node in self.nodes:
            await self._make(resource_path("nodes"), {"metadata": {"name": node}})
        config = {"metadata": {"name": CONFIG}, "data": {"limits.json": _limits(MOST)}}
        await self._make(resource_path("configmaps", self.namespace), config)
        for _ in range(2):
            await self._start_coordinator()

    async def _make(self, path: str, obj: dict[str, Any]) -> None:
        await self.hand.request("POST", path, body=orjson.dumps(obj))

    async def _start_coordinator(self) -> None:
        client = SeasonedClient(self.ground.coordinators, self.rng, self.seasoning, self.bug)
        self.writers.append(await self._stack.enter_async_context(client))
        coordinator = Coordinator(
            client,
            [PoolSpec(self.namespace, CONFIG)],
            metrics=self.figures,
            policy=Policy(settling=0.0),
            rng=self.rng,
            sleep=lambda seconds: asyncio.sleep(seconds / FASTER),
        )
        await self._stack.enter_async_context(coordinator)
        pool = coordinator.pool(self.namespace)
        async with asyncio.timeout(DEADLINE):
            while pool.ready():  # noqa: ASYNC110 - a pool tells nobody that it is ready
                await asyncio.sleep(0.01)
        self.pools.append(pool)

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()
        async with KubeClient(self.ground.hand) as hand:
            for node in self.nodes:
                await hand.request("DELETE", resource_path("nodes", name=node))

    # --- the run ----------------------------------------------------------------------------------

    async def run(self, seconds: float, stop: Callable[[Hammer], object] = lambda _: False) -> None:
        """Hammers for so long, or until `stop(self)`; then everybody lets go."""
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            for number in range(self.clients):
                group.create_task(self._client(number))
            for work in (self._turn_limits(), self._delete_free_leases()):
                group.create_task(work)
            while time.monotonic() < end and not stop(self):
                await self._pause(0.1)
            self._over.set()
        await asyncio.gather(*self._unheard, return_exceptions=True)
        for writer in self.writers:
            await writer.all_arrived()

    async def ask_in_vain(self, asking: Coroutine[Any, Any, object], seconds: float) -> object:
        """The answer, if it comes so soon; after that nobody hears it."""
        task = asyncio.create_task(asking)
        await asyncio.wait([task], timeout=seconds)
        if task.done():
            return task.result()
        if self.rng.random() >= self.half_open:
            task.cancel()
        self._unheard.add(task)
        return None

    @property
    def is_over(self) -> bool:
        """Whether the clients are to let go."""
        return self._over.is_set()

    async def _pause(self, seconds: float) -> bool:
        """Whether the run goes on after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()
        return not self.is_over

    async def _turn_limits(self) -> None:
        path = resource_path("configmaps", self.namespace, CONFIG)
        number = 0
        while await self._pause(self.turn):
            number += 1
            limit = self.limits[number % len(self.limits)]
            body = orjson.dumps({"data": {"limits.json": _limits(limit)}})
            await self.hand.request("PATCH", path, body=body, content_type=MERGE_PATCH)

    async def _delete_free_leases(self) -> None:
        store = LeaseStore(self.hand)
        while await self._pause(0.05):
            free = [lease for lease in await self.leases() if not lease.taken]
            if free:
                with suppress(errors.Conflict, errors.NotFound):
                    await store.delete(self.namespace, self.rng.choice(free))
                    self.told["deleted by hand"] += 1

    async def leases(self) -> list[Lease]:
        """Every Lease as it stands."""
        answer = await self.hand.request("GET", leases_path(self.namespace))
        return [parse(item) for item in answer["items"]]

    async def everything_free(self, within: float = DEADLINE) -> bool:
        """Whether nobody holds anything, at the latest when the TTL of what nobody took is over."""
        end = time.monotonic() + within
        while any(lease.taken for lease in await self.leases()):
            if time.monotonic() > end:
                return False
            await asyncio.sleep(0.1)
        return True

    # --- clients ----------------------------------------------------------------------------------

    async def _client(self, number: int) -> None:
        count = 0
        while not self.is_over:
            count += 1
            await Client(self, f"claim-{number}-{count}").live()

    def _answered(self, code: str) -> int:
        """How many writes of the coordinators were answered so."""
        return sum(
            count
            for writer in self.writers
            for (verb, one), count in writer.codes.items()
            if one == code and verb in {"create", "update", "delete"}
        )

    @property
    def conflicts(self) -> int:
        """Writes that lost a race."""
        return self._answered("409")

    @property
    def refusals(self) -> int:
        """Writes that the API server found invalid."""
        return self._answered("422")

    def figure_line(self) -> str:
        """The run in one line."""
        counts = {"holds": len(self.holds), "conflicts": self.conflicts}
        counts |= dict(self.figures.kinds) | dict(self.told)
        return ", ".join(f"{counts[key]} {key}" for key in sorted(counts))


class Client:
    """One claim: asks whichever coordinator, holds for a moment, gives back."""

    def __init__(self, hammer: Hammer, claim: str) -> None:
        self.hammer, self.rng = hammer, hammer.rng
        self.node = self.rng.choice(hammer.nodes)
        self.terms = Terms(claim, ttl=TTL)
        self.claim = claim
        self.pool = self.rng.choice(hammer.pools)
        self.asked: list[Pool] = []

    async def live(self) -> None:
        view = await self._ask_until_granted()
        if view is not None:
            await self._hold(view)
        for pool in sorted(self.asked, key=lambda one: one is not self.pool):
            while not isinstance(await pool.leave(self.node, self.claim, 5), Released):
                self.hammer.told["releases repeated"] += 1
                await asyncio.sleep(0.01)

    async def _ask_until_granted(self) -> Granted | None:
        """None if the run is over first, or the claim turns out to be lost."""
        while not self.hammer.is_over:
            view = await self._ask()
            if isinstance(view, Granted):
                return view
            if view is not None and not isinstance(view, Queued | Settling):
                self.hammer.told[f"{type(view).__name__} instead of a grant"] += 1
                return None
            if self.rng.random() < 0.5:
                self.pool = self.rng.choice(self.hammer.pools)
                self.hammer.told["went to the other"] += 1
        return None

    async def _ask(self) -> object:
        """The answer; None where the client went away before it came."""
        if self.pool not in self.asked:
            self.asked.append(self.pool)
        asking = self.pool.ask(self.node, Ask(self.claim, self.terms), self.rng.uniform(0, 1))
        if self.rng.random() >= self.hammer.impatience:
            return await asking
        return await self.hammer.ask_in_vain(asking, self.rng.choice((0, self.rng.uniform(0, 0.2))))

    async def _hold(self, view: Granted) -> None:
        hold = Hold(self.node, view.lease, view.token, self.claim, time.monotonic())
        self.hammer.holds.append(hold)
        await asyncio.sleep(self.rng.choice((0.0, self.rng.uniform(0, self.hammer.longest))))
        hold.release_sent_at = time.monotonic()


def _limits(number: int) -> str:
    return orjson.dumps({"loadConcurrency": {"globalConfig": number}}).decode()

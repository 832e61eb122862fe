"""A coordinator whose answers a test writes down, and which remembers what it was asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from coordinator.core.access import Admissions
from coordinator.core.explain import (
    ClaimWhy,
    NodeWhy,
    PoolWhy,
    explain_claim,
    explain_node,
)
from coordinator.core.limits import DEFAULT_RULES
from coordinator.core.model import PodRef
from coordinator.core.preview import Preview
from coordinator.core.refusals import OthersClaim, Refusal
from coordinator.core.slots import NodeTable
from coordinator.core.surroundings import Surroundings
from coordinator.core.views import Granted, Held, Queued, SlotView, Waiting
from coordinator.service.asked import SyncAnswer, SyncRequest
from coordinator.service.clock import Clock
from coordinator.service.errors import NotReady, PoolUnknown
from coordinator.service.listing import Listing
from coordinator.service.news import News
from coordinator.service.status import (
    ConfigStatus,
    MoversStatus,
    NodeCounts,
    NodeStatus,
)
from coordinator.service.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.claims import Claim
    from coordinator.core.limits import LimitRules
    from coordinator.core.messages import Ask
    from coordinator.core.views import View
    from coordinator.kube.election import Leader
    from coordinator.service.callers import Callers
    from coordinator.service.desk import Known

HELD = Held("c0", "backup-1/pvc-0", "node1-slot-0", 5, None, 30, "2026-01-05T10:00:00.000000Z")
NOW = datetime(2026, 1, 5, 10, 12, 21, 900_000, UTC)
"""12 minutes and 21 seconds after that grant."""
GRANTED = Granted("c1", 0, "node1-slot-0", 1201, 60)
QUEUED = Queued("c1", 2, (1234, 17), "1 of 1 slots of node1 are held", (HELD,))
CONFIG = ConfigStatus("velero", "limits", True, "", ("a warning",), "911", "then", ("rule: 1",), 2)


def node_status(name: str) -> NodeStatus:
    slot = SlotView(0, f"{name}-slot-0", "held", "", HELD, 1201, 3.21)
    waiting = Waiting("c2", "backup-1/pvc-2", 0, 1, True, PodRef("velero", "load-2", "uid-2"), 60)
    return NodeStatus(
        name, 1, "globalConfig", ("rule",), (("other", "why"),), "", 1, (slot,), (waiting,)
    )


@dataclass
class FakeDesk:
    claims: dict[str, Known] = field(default_factory=dict)

    def known(self, claim: str) -> Known | None:
        return self.claims.get(claim)


class FakeInsight:
    """Explains an empty node."""

    def why_claim(self, node: str, claim: str) -> ClaimWhy:
        return explain_claim(NodeTable(node, 1, 0.0), claim, 10.0, Surroundings())

    def why_node(self, node: str) -> NodeWhy:
        return explain_node(NodeTable(node, 1, 0.0), 10.0, Surroundings())

    def why_pool(self, trouble: str = "") -> PoolWhy:
        return PoolWhy(trouble, 0, 0, (), 0, None)


class FakePreviews:
    """No node to try anything on."""

    async def of(self, rules: LimitRules) -> Preview:
        return Preview(rules)

    async def in_force(self) -> Preview:
        return Preview(DEFAULT_RULES)


@dataclass
class FakePool:
    namespace: str = "velero"
    term: int = 1234
    trouble: str = ""
    answer: View | Exception | None = None
    """What `ask`, `look` and `leave` say."""
    sync_answers: tuple[View | Refusal, ...] = ()
    others: tuple[OthersClaim, ...] = ()
    """The releases that are refused."""
    sync_error: Exception | None = None
    names: list[str] = field(default_factory=lambda: ["node1", "node2", "node3"])
    settings: ConfigStatus = CONFIG
    moving: MoversStatus = field(default_factory=MoversStatus)
    asked: list[tuple[str, Ask, float]] = field(default_factory=list)
    left: list[tuple[str, str, str]] = field(default_factory=list)
    """Node, claim, and whose claims alone may be ended."""
    desks: dict[str, FakeDesk] = field(default_factory=dict)
    synced: list[tuple[str, SyncRequest]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    """What happens while a request waits for its slot."""
    forever: bool = False
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    insight: FakeInsight = field(default_factory=FakeInsight)
    previews: FakePreviews = field(default_factory=FakePreviews)
    listing: Listing = field(default_factory=lambda: Listing({}, lambda: 10.0))
    tally: Tally = field(init=False)
    news: News = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.count, lambda _: inf, lambda: 10.0)
        for name in self.names:
            self.tally.touch(name)
        self.news = News(self.count, lambda: len(self.names), Clock(), self.tally.touch)

    def wall(self) -> datetime:
        return NOW

    def ticket_of(self, age: float) -> tuple[int, int] | None:
        """A leader of a thousand seconds."""
        return self.term, int(1000 * (1000 - age))

    def ready(self) -> str:
        return self.trouble

    def _told(self) -> View | None:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def next_poll(self) -> int:
        return 1

    def known(self, node: str) -> dict[str, Claim]:
        return {}

    async def ask(self, node: str, ask: Ask, wait: float) -> View | None:
        self.asked.append((node, ask, wait))
        self.meanwhile()
        if self.forever:
            await self._block()
        return self._told()

    async def _block(self) -> None:
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    def look(self, node: str, claim: str) -> View | None:
        return None if isinstance(self.answer, Refusal) else self._told()

    async def leave(self, node: str, claim: str, wait: float, owner: str = "") -> View | None:
        self.left.append((node, claim, owner))
        return self._told()

    async def sync(self, node: str, request: SyncRequest) -> SyncAnswer:
        self.synced.append((node, request))
        self.meanwhile()
        if self.sync_error is not None:
            raise self.sync_error
        others = self.others
        released = tuple(one for one in request.releases if one not in map(str, others))
        told = self.sync_answers
        return SyncAnswer(self.term, request.sequence, told, released, True, others)

    def node(self, node: str) -> NodeStatus:
        self._told()
        if self.trouble:
            raise NotReady(self.trouble)
        return node_status(node)

    def nodes(self) -> list[str]:
        return self.names

    def count(self, node: str) -> NodeCounts:
        one = self.node(node)
        return NodeCounts(one.node, one.limit, one.held, len(one.queue), one.hold)

    def config(self) -> ConfigStatus:
        return self.settings

    @property
    def movers(self) -> FakePool:
        return self

    def status(self) -> MoversStatus:
        return self.moving


class FakeCoordinator:
    leaderless = "no replica leads at the moment"

    def __init__(self, pool: FakePool, identity: str = "replica-1") -> None:
        self.pools = {pool.namespace: pool}
        self.identity = identity
        self.leading = True
        self.leader: Leader | None = None
        self.callers: Callers | None = None
        self.admissions = Admissions([pool.namespace])

    def pool(self, namespace: str) -> FakePool:
        if namespace not in self.pools:
            raise PoolUnknown(f"no pool in namespace {namespace}")
        return self.pools[namespace]

    def ready(self) -> dict[str, str]:
        return {name: pool.ready() for name, pool in self.pools.items()}

    def elected(self, trouble: str) -> None:
        """It leads from now on, and has no whole picture yet."""
        self.leading = True
        for pool in self.pools.values():
            pool.trouble = trouble

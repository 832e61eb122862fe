"""Looks at Pods: few at a time, paced while the API server is away, given up when not wanted."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.model import PodRef, Terms, Verdict
from coordinator.core.slots import NodeTable
from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.service.desk import Desk
from coordinator.service.evidence import Sight
from coordinator.service.gate import Gate
from coordinator.service.looks import LANES, Looks
from coordinator.service.metrics import Metrics
from coordinator.service.reports import PoolReports

if TYPE_CHECKING:
    from tests.service.jumps import Jumps

CALL = call_of("GET", "/api/v1/namespaces/velero/pods/load")
RUNS = Sight(Verdict.RUNNING, found=True)


class Scene:
    """A desk with claims whose Pods are looked at, and what the API server says to that."""

    def __init__(self, jumps: Jumps) -> None:
        self.jumps = jumps
        self.desk = Desk(NodeTable("node1", 1, jumps.now() - 2))
        self.error: errors.ApiError | None = None
        self.hang = asyncio.Event()
        self.hang.set()
        self.open = self.most = 0
        self.asked: list[float] = []
        self.evidence: list[m.Evidence] = []
        gate = Gate(Random(1))
        reports = PoolReports("velero", Metrics())
        self.looks = Looks(self._examine, gate, jumps.now, reports, self._apply)
        self.tasks: list[asyncio.Task[None]] = []

    async def _examine(self, pod: PodRef, node: str, silent: bool) -> Sight:
        self.asked.append(self.jumps.now())
        self.open += 1
        self.most = max(self.most, self.open)
        await self.hang.wait()
        self.open -= 1
        if self.error is not None:
            raise self.error
        return RUNS

    def _apply(self, desk: Desk, event: m.Event) -> None:
        assert isinstance(event, m.Evidence)
        self.evidence.append(event)

    def look(self, name: str, after: float = 0.0) -> None:
        pod = PodRef("velero", name)
        self.desk.table.handle(m.Ask(name, Terms(name, pod=pod)), self.jumps.now())
        self.desk.table.roll.claims[name].look.under_way = True
        command = m.Examine(name, pod, self.jumps.now() + after, silent=True)
        self.tasks.append(asyncio.create_task(self.looks.take(self.desk, command)))


async def test_a_look_is_taken_at_its_time_and_told_with_the_pod_it_was_about(
    jumps: Jumps,
) -> None:
    scene, begun = Scene(jumps), jumps.now()
    scene.look("a", after=1.0)
    await jumps.advance(2)
    assert scene.asked == [begun + 1]
    assert scene.evidence == [m.Evidence("a", Verdict.RUNNING, PodRef("velero", "a"), found=True)]


async def test_the_look_at_a_pod_that_left_the_watch_does_not_wait_for_its_time(
    jumps: Jumps,
) -> None:
    scene, begun = Scene(jumps), jumps.now()
    scene.look("waits", after=1.0)
    await jumps.turn()
    scene.look("begins", after=1.0)
    for claim in ("waits", "begins"):
        scene.looks.at_once(scene.desk, claim)
    await jumps.turn()
    assert scene.asked == [begun, begun]


async def test_a_pod_that_leaves_the_watch_during_its_look_is_looked_at_again_at_once(
    jumps: Jumps,
) -> None:
    scene, begun = Scene(jumps), jumps.now()
    scene.hang.clear()
    scene.look("a")
    await jumps.turn()
    scene.looks.at_once(scene.desk, "a")
    scene.hang.set()
    scene.look("a", after=1.0)
    await jumps.turn()
    assert scene.asked == [begun, begun]


async def test_haste_without_a_look_is_forgotten(jumps: Jumps) -> None:
    scene, begun = Scene(jumps), jumps.now()
    scene.looks.at_once(scene.desk, "nobody")
    scene.hang.clear()
    scene.look("a")
    await jumps.turn()
    scene.looks.at_once(scene.desk, "a")
    scene.desk.table.roll.claims["a"].look.under_way = False
    scene.hang.set()
    await jumps.turn()
    scene.look("a", after=1.0)
    await jumps.advance(2)
    assert scene.asked == [begun, begun + 1]


async def test_only_a_few_are_taken_at_a_time(jumps: Jumps) -> None:
    scene = Scene(jumps)
    scene.hang.clear()
    for n in range(50):
        scene.look(f"claim-{n}")
    await jumps.turn()
    assert scene.open == LANES
    scene.hang.set()
    await jumps.turn()
    assert len(scene.evidence) == 50
    assert scene.most == LANES


async def test_while_the_api_server_is_away_one_look_a_second_tries_at_most(jumps: Jumps) -> None:
    scene = Scene(jumps)
    scene.error = errors.Unavailable(CALL, "etcd is away", status=503)
    for n in range(50):
        scene.look(f"claim-{n}")
    await jumps.advance(60)
    assert 3 <= len(scene.asked) <= 30
    assert all(later - one >= 1 for one, later in pairwise(scene.asked))
    scene.error = None
    await jumps.until(lambda: len(scene.evidence) == 50, within=32)


async def test_a_look_that_is_refused_is_tried_ever_more_seldom_and_holds_up_no_other(
    jumps: Jumps,
) -> None:
    scene = Scene(jumps)
    scene.error = errors.Forbidden(CALL, "no right to get pods", status=403)
    for n in range(LANES):
        scene.look(f"claim-{n}")
    await jumps.advance(4)
    scene.error = None
    scene.look("another")
    await jumps.turn()
    assert [one.claim for one in scene.evidence] == ["another"]
    scene.error = errors.Forbidden(CALL, "no right to get pods", status=403)
    before = len(scene.asked)
    await jumps.advance(120)
    assert len(scene.asked) - before <= 5 * LANES


async def test_a_look_that_nobody_wants_any_more_ends_and_says_nothing(jumps: Jumps) -> None:
    scene = Scene(jumps)
    scene.error = errors.Unavailable(CALL, "etcd is away", status=503)
    scene.look("a")
    scene.look("b")
    await jumps.advance(5)
    scene.desk.table.handle(m.Leave("a"), jumps.now())
    moved = Terms("b", pod=PodRef("velero", "other"))
    scene.desk.table.handle(m.Ask("b", moved), jumps.now())
    await jumps.until(lambda: len(scene.evidence) == 2)
    nothing = [m.Evidence(c, Verdict.UNJUDGED, PodRef("velero", c), found=False) for c in "ab"]
    assert sorted(scene.evidence, key=lambda one: one.claim) == nothing
    assert all(task.done() for task in scene.tasks)

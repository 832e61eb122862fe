"""Which movers are told of before Velero fails them: those that still wait, once, in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core import messages as m
from coordinator.core.model import PodRef, Terms
from coordinator.core.movers import Kind
from coordinator.core.prepare import Mover, near_timeouts, warnings
from tests.core.modelserver import NODE
from tests.core.play import Play

if TYPE_CHECKING:
    from coordinator.core.prepare import NearTimeout
    from coordinator.core.slots import NodeTable

TIMEOUT = 1800.0


class Scene:
    """A full node, and movers whose claims wait for it."""

    def __init__(self, *names: str) -> None:
        self.play = Play(1)
        self.play.grant("holder", ttl=3600)
        self.movers = [self.mover(name) for name in names]
        self.began = self.play.now
        self.ask()

    def mover(self, name: str, uid: str = "") -> Mover:
        pod = PodRef("velero", name, uid or f"uid-{name}")
        return Mover(pod, Kind.DATA_UPLOAD, True, self.play.now)

    def ask(self) -> None:
        for mover in self.movers:
            terms = Terms(mover.pod.name, 0, 60, mover.pod)
            self.play(m.Ask(mover.pod.uid, terms, poll=1))

    def at(self, seconds: float) -> None:
        """So long after the movers were made; they go on asking."""
        self.play.now = self.began + seconds
        self.ask()

    def table(self, node: str) -> NodeTable | None:
        return self.play.table if node == NODE else None

    def told(self, timeout: float = TIMEOUT, most: int = 5) -> list[NearTimeout]:
        named = self.play.table.roll.pods
        return warnings(self.movers, named, self.table, timeout, self.play.now, most)

    def names(self) -> list[str]:
        return [near.wait.load for near in self.told()]


@pytest.mark.parametrize(
    ("timeout", "age", "told"),
    [(1800, 1349, False), (1800, 1350, True), (60, 44, False), (60, 45, True), (0, 9999, False)],
)
def test_a_mover_that_waits_is_told_of_at_three_quarters_of_the_timeout(
    timeout: float, age: float, told: bool
) -> None:
    scene = Scene("a")
    scene.at(age)
    assert bool(scene.told(timeout)) is told


def test_it_is_told_with_all_numbers_and_once() -> None:
    scene = Scene("a", "b")
    scene.at(1400)
    first, second = scene.told()
    assert (first.kind, first.age, first.left) == (Kind.DATA_UPLOAD, 1400, 400)
    assert (second.wait.load, second.wait.position, second.wait.queued) == ("b", 2, 2)
    assert second.wait.holders == ("load-holder",)
    assert scene.told() == []


def test_a_few_are_told_at_a_time_and_the_rest_later() -> None:
    scene = Scene("a", "b", "c")
    scene.at(1400)
    assert [len(scene.told(most=2)) for _ in range(3)] == [2, 1, 0]


def test_a_mover_that_holds_a_slot_is_not_told_of() -> None:
    scene = Scene("a", "b")
    over = scene.play(m.Leave("holder"), m.HandOver)
    scene.at(1400)
    assert scene.names() == ["b"], "the other one's grant is on its way"
    scene.play.done(over, m.Examine)
    assert scene.names() == []


def test_a_mover_whose_sidecar_asks_no_more_is_not_told_of() -> None:
    scene = Scene("a")
    scene.play(m.PollEnded(("uid-a",), 1))
    scene.play.now = scene.began + 1400
    assert scene.names() == []


def test_another_pod_of_that_name_is_not_told_of() -> None:
    scene = Scene("a")
    scene.at(1400)
    scene.movers = [scene.mover("a", uid="another")]
    scene.movers[0].made = scene.began
    assert scene.names() == []


def test_all_that_are_late_count_whether_told_or_not() -> None:
    scene = Scene("a", "b")
    scene.at(1400)
    scene.told()
    named = scene.play.table.roll.pods
    near = near_timeouts(scene.movers, named, scene.table, TIMEOUT, scene.play.now)
    assert [mover.pod.name for mover, _, _ in near] == ["a", "b"]


def test_past_the_timeout_less_than_nothing_is_left() -> None:
    scene = Scene("a")
    scene.at(1830)
    assert scene.told()[0].left == -30

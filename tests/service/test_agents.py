"""What is remembered of agents: bounded, however many names and boots callers make up."""

from __future__ import annotations

import pytest

from coordinator.service.agents import MEMORY, MOST_BOOTS, AgentRecord, Agents
from coordinator.service.desk import Waiter
from coordinator.service.errors import StaleSync
from tests.service.cluster import NODE, sync


class Scene:
    def __init__(self, most: int = 3) -> None:
        self.time = 100.0
        self.agents = Agents(lambda: self.time, most)

    def says(self, name: str, sequence: int = 1, boot: str = "b1") -> tuple[AgentRecord, Waiter]:
        """The agent's sync begins to be answered."""
        waiter = Waiter()
        request = sync(sequence, agent=name, boot=boot)
        return self.agents.take_turn(NODE, request, waiter), waiter

    def said(self, name: str, sequence: int = 1, boot: str = "b1") -> None:
        self.agents.end_turn(*self.says(name, sequence, boot))

    def known(self, *names: str) -> list[str]:
        return [name for name in names if self.agents.get(NODE, "", name)]


def test_of_too_many_idle_agents_the_one_that_was_answered_first_is_forgotten() -> None:
    scene = Scene()
    for name in "abc":
        scene.said(name)
    scene.said("a", 2)
    scene.said("d")
    assert scene.known(*"abcd") == ["a", "c", "d"]


def test_an_agent_whose_sync_is_being_answered_is_not_forgotten() -> None:
    scene = Scene()
    turn = scene.says("waits")
    for number in range(100):
        scene.said(f"made-up-{number}")
    scene.time += 2 * MEMORY
    scene.agents.forget()
    assert scene.known("waits", "made-up-99") == ["waits"]
    scene.agents.end_turn(*turn)
    with pytest.raises(StaleSync, match="already sent sync 1"):
        scene.says("waits")


def test_an_agent_is_forgotten_some_time_after_its_last_answer() -> None:
    scene = Scene()
    scene.said("a")
    scene.time += MEMORY
    scene.agents.forget()
    assert scene.known("a") == ["a"]
    scene.time += 0.1
    scene.agents.forget()
    assert len(scene.agents) == 0


def test_a_newer_sync_dismisses_the_one_that_waits_and_an_older_one_changes_nothing() -> None:
    scene = Scene()
    record, first = scene.says("a", 5)
    with pytest.raises(StaleSync):
        scene.says("a", 4)
    assert not first.dismissed
    _, second = scene.says("a", 6)
    assert first.dismissed
    scene.agents.end_turn(record, first)
    assert record.waiter is second


def test_earlier_boots_are_refused_as_far_as_they_are_remembered() -> None:
    scene = Scene()
    for number in range(1000):
        scene.said("a", boot=f"boot-{number}")
    record, _ = scene.says("a", 2, boot="boot-999")
    assert len(record.retired) == MOST_BOOTS
    for number in (998, 999 - MOST_BOOTS):
        with pytest.raises(StaleSync, match="has been restarted since"):
            scene.says("a", 3, boot=f"boot-{number}")


def test_the_same_name_on_another_node_is_another_agent() -> None:
    scene = Scene()
    scene.said("a", 7)
    assert scene.agents.get("node2", "", "a") is None
    scene.agents.take_turn("node2", sync(1, agent="a"), Waiter())

"""Whose renewTime is written next: each in its turn, few at a time, where there is news."""

from __future__ import annotations

from coordinator.core import messages as m
from coordinator.core.slots import NodeTable
from coordinator.service.desk import Desk
from coordinator.service.renewals import INTERVAL, MOST, Renewals
from tests.core.play import ask, held_lease


class Scene:
    """Nodes whose slots another leader granted, and the time."""

    def __init__(self, nodes: int, slots: int) -> None:
        self.now = 1000.0
        self.desks = {
            f"n{number}": Desk(NodeTable(f"n{number}", 1, 0.0)) for number in range(nodes)
        }
        for node, desk in self.desks.items():
            leases = {n: held_lease(n, f"{node}-{n}", 5) for n in range(slots)}
            desk.table.handle(m.Relisted(leases, self.now), self.now)
        self.renewals = Renewals(self.desks, lambda: self.now)

    def renew(self) -> None:
        for desk in self.desks.values():
            for claim in desk.table.roll.claims:
                desk.table.handle(ask(claim, token=5), self.now)

    def due(self) -> list[str]:
        return [claim for _, claim in self.renewals.due()]

    def seconds(self, seconds: float) -> list[list[str]]:
        """What is due in each of so many seconds, with all agents renewing."""
        told = []
        for _ in range(int(seconds)):
            self.now += 1
            self.renew()
            told.append(self.due())
        return told


def test_a_slot_that_an_earlier_leader_granted_has_its_turn_after_the_interval() -> None:
    scene = Scene(1, 2)
    before, after = scene.seconds(INTERVAL - 1), scene.seconds(1)
    assert before == [[]] * int(INTERVAL - 1)
    assert after == [["n0-0", "n0-1"]]


def test_no_more_are_due_at_a_time_than_may_be_and_all_have_their_turn() -> None:
    scene = Scene(40, 10)
    scene.now += INTERVAL
    told = scene.seconds(INTERVAL)
    assert max(map(len, told)) <= MOST
    assert len({claim for some in told for claim in some}) == 400


def test_who_did_not_renew_since_the_last_write_has_no_turn() -> None:
    scene = Scene(1, 2)
    scene.now += 2 * INTERVAL
    assert scene.due() == []


def test_without_a_node_nothing_is_due() -> None:
    assert Scene(0, 0).due() == []

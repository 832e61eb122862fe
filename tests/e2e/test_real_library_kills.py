"""On the real API server: a process with the library in it, killed at every stage."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site

pytestmark = [pytest.mark.real, pytest.mark.slow]

BORROWER = Path(__file__).with_name("borrower.py")


class Scene:
    """A node with one slot, and processes of one kind of client."""

    def __init__(self, site: Site, node: str, kind: str) -> None:
        self.site, self.node, self.kind = site, node, kind

    def borrower(self, name: str) -> Program:
        command = [sys.executable, str(BORROWER), self.kind, name, str(self.site.folder)]
        return self.site.run(name, self.node, command)

    def holding(self, name: str) -> Program:
        program = self.borrower(name)
        self.site.journal.wait_started(name)
        return program

    def queued_behind_another(self) -> Program:
        self.holding("first")
        victim = self.borrower("victim")
        self.site.wait_queue(self.node, "victim")
        return victim


def _waiting(scene: Scene) -> Program:
    victim = scene.queued_behind_another()
    victim.send(signal.SIGKILL)
    scene.site.journal.end("first")
    return victim


def _granted_without_knowing_it(scene: Scene) -> Program:
    victim = scene.queued_behind_another()
    victim.send(signal.SIGSTOP)
    scene.site.journal.end("first")
    until(lambda: list(scene.site.cluster.holders().values()) == ["victim"], "it is granted")
    victim.send(signal.SIGKILL)
    return victim


def _holding(scene: Scene) -> Program:
    victim = scene.holding("victim")
    victim.send(signal.SIGKILL)
    return victim


def _releasing(scene: Scene) -> Program:
    """The coordinator is stopped, so that the release is sent and not answered."""
    victim = scene.holding("victim")
    scene.site.coordinator.send(signal.SIGSTOP)
    scene.site.journal.end("victim")
    until(lambda: "victim" not in scene.site.journal.running, "its body is over")
    victim.send(signal.SIGKILL)
    scene.site.coordinator.send(signal.SIGCONT)
    return victim


@pytest.mark.parametrize("kind", ["tasks", "threads"])
@pytest.mark.parametrize("stage", [_waiting, _granted_without_knowing_it, _holding, _releasing])
def test_a_process_killed_at_any_stage_leaks_nothing(
    site: Site, cluster: Cluster, node: str, stage: Callable[[Scene], Program], kind: str
) -> None:
    scene = Scene(site, node, kind)
    assert stage(scene).exit_code() == 128 + signal.SIGKILL
    heir = scene.holding("heir")
    assert list(cluster.holders().values()) == ["heir"]
    site.journal.end("heir")
    assert heir.exit_code() == 0
    until(lambda: cluster.holders() == {}, "every Lease is free")

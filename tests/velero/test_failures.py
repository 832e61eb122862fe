"""What is killed or taken away while a backup runs: nothing leaks, and no third mover starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.velero.midst import midst
from tests.velero.site import COORDINATOR
from tests.velero.velero import BACKUP, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.velero.movers import Movers
    from tests.velero.site import Site

pytestmark = pytest.mark.velero
LIMIT, PODS, VOLUMES = 2, 2, 2
COUNT = PODS * VOLUMES


TOLD = {"running": "holds slot", "waiting": "position"}
"""What a sidecar says after its start."""


def finish(site: Site, movers: Movers, backup: str) -> None:
    """The backup completes with all volumes; no slot was ever given twice, and none is kept."""
    assert site.velero.wait("backup", backup) == "Completed"
    assert movers.phases() == COUNT * ["Completed"]
    movers.wait_ended()
    assert movers.most_at_once() == LIMIT
    until(lambda: not site.holders(), "no holder is left")


def test_the_leader_is_killed_and_the_next_one_finds_who_holds(site: Site) -> None:
    with midst(site, "leader", LIMIT, PODS, VOLUMES) as movers:
        held, former = site.slots(), site.election()
        site.kill_leader()
        until(lambda: site.election() not in ("", former), "another one leads")
        assert site.slots() == held
        assert len(movers.running()) == LIMIT
    finish(site, movers, "leader")


@pytest.mark.parametrize("whose", ["running", "waiting"])
def test_a_killed_sidecar_comes_back_to_its_claim(whose: str, site: Site) -> None:
    with midst(site, f"sidecar-{whose}", LIMIT, PODS, VOLUMES) as movers:
        held, running = site.slots(), movers.running()
        pod = next(name for name in movers.names() if (name in running) == (whose == "running"))
        until(lambda: TOLD[whose] in movers.sidecar_says(pod), "it has claimed")
        movers.kill_sidecar(pod)
        until(lambda: movers.restarts(pod) == 1, "the kubelet starts it again")
        until(lambda: TOLD[whose] in movers.sidecar_says(pod), "the coordinator answers it")
        assert site.slots() == held
        assert movers.running() == running
    finish(site, movers, f"sidecar-{whose}")


def test_the_node_agent_is_restarted_while_movers_run_and_wait(site: Site) -> None:
    with midst(site, "agent", LIMIT, PODS, VOLUMES) as movers:
        held = site.slots()
        site.velero.restart_node_agent()
        assert site.slots() == held
        assert len(movers.running()) == LIMIT
    finish(site, movers, "agent")


def test_without_any_coordinator_movers_wait_and_go_on_when_one_is_back(site: Site) -> None:
    """The policy needs no server of ours to put the sidecar in, and the sidecar lets nobody run."""
    site.limit(LIMIT)
    site.workload("away", PODS, VOLUMES).checksums()
    site.kubectl("scale", COORDINATOR, "--replicas=0")
    until(lambda: not site.coordinators(), "no coordinator is left", between=0.2)
    try:
        movers = site.movers(BACKUP, "away")
        site.velero.back_up("away", "away")
        waiting = movers.wait_made(COUNT)
        until(lambda: len(movers.sidecars()) == COUNT, "all sidecars run", between=0.2)
        assert sorted(movers.governed()) == sorted(waiting)
        assert not movers.runs()
    finally:
        site.kubectl("scale", COORDINATOR, "--replicas=2")
        site.wait_governing()
    finish(site, movers, "away")


@pytest.fixture
def freed(site: Site) -> Iterator[None]:
    """Velero 1.18.0 never ends a backup one of whose volumes was cancelled, and so starts none."""
    yield
    site.velero.restart_server()


@pytest.mark.usefixtures("freed")
def test_cancelled_movers_leave_no_holder_and_let_no_third_one_start(site: Site) -> None:
    """One runs, and its own program ends it; one waits, and Velero deletes it when it starts."""
    with midst(site, "cancel", LIMIT, PODS, VOLUMES) as movers:
        runs = movers.running()[0]
        waits = next(name for name in movers.names() if name not in movers.running())
        for name in (runs, waits):
            site.velero.cancel(BACKUP, name)
    ends = ["Canceled", "Canceled", "Completed", "Completed"]
    until(lambda: movers.phases() == ends, "every volume has its end", PATIENCE, 0.5)
    until(lambda: not site.holders(), "no holder is left", between=0.2)
    movers.wait_ended()
    assert movers.most_at_once() == LIMIT
    assert len(movers.runs()) == COUNT, "the one that was to wait has begun"

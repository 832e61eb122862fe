"""What breaks on a node or in the coordinator stops no load, and no slot has two holders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until
from tests.kubelet.site import FIRST

if TYPE_CHECKING:
    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet


@pytest.fixture
def pair(site: Site, place: Place) -> Place:
    """On a node with one slot `runs` has it, and `waits` wants it."""
    site.limit(1)
    site.kubectl.apply(place.pod("runs", FIRST))
    place.journal.wait_started("runs")
    site.kubectl.apply(place.pod("waits", FIRST))
    site.wait_waiting("waits")
    return place


def finish(site: Site, place: Place) -> None:
    """Both end in order: the one that waited started after the other had ended."""
    assert place.journal.started == ["runs"]
    assert not place.journal.terminated
    place.journal.end_all()
    site.wait_succeeded("runs")
    site.wait_succeeded("waits")
    assert place.journal.started == ["runs", "waits"]
    assert place.journal.most_at_once(FIRST) == 1


def test_a_killed_sidecar_comes_back_to_its_slot_and_the_load_runs_on(
    site: Site, pair: Place
) -> None:
    before = site.slot(FIRST)
    site.nodes[FIRST].kill(site.kubectl.container("runs", "hold"))
    until(lambda: site.kubectl.restarts("runs", "hold") == 1, "the kubelet starts it again")
    until(lambda: "holds slot 0" in "".join(site.hold_log("runs")), "it finds its slot")
    assert site.slot(FIRST) == before
    finish(site, pair)


@pytest.mark.parametrize(
    "how", [(), ("--grace-period=0", "--force")], ids=["with grace", "by force"]
)
def test_the_leaders_pod_is_deleted_and_another_one_leads(
    how: tuple[str, ...], site: Site, pair: Place
) -> None:
    before, leader = site.slot(FIRST), until(site.leader, "somebody leads")
    site.kubectl("delete", "pod", leader, *how)
    until(lambda: site.leader() not in ("", leader), f"{leader} leads no more")
    assert site.slot(FIRST) == before
    finish(site, pair)
    until(lambda: len(site.coordinators()) == 2, "both replicas are back")


def test_while_the_kubelet_is_away_its_loads_keep_their_slots(site: Site, pair: Place) -> None:
    before = site.slot(FIRST)
    site.nodes[FIRST].stop_kubelet()
    pair.journal.end("runs")
    until(lambda: not pair.journal.running, "the load ends; nobody tells the API server")
    assert site.slot(FIRST) == before
    site.nodes[FIRST].start_kubelet()
    pair.journal.end_all()
    site.wait_succeeded("waits")
    assert pair.journal.started == ["runs", "waits"]
    assert pair.journal.most_at_once(FIRST) == 1

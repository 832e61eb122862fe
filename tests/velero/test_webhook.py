"""The coordinator's webhook in place of the policy, and no coordinator at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.velero.install import POLICY, WEBHOOK
from tests.e2e.waiting import until
from tests.velero import injected
from tests.velero.midst import midst
from tests.velero.site import COORDINATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.velero.site import Site

PODS, VOLUMES = 2, 2
COUNT = PODS * VOLUMES
EVENT = "MoverUngoverned"
METRIC = f'nodeslots_movers{{governed="false",namespace="velero"}} {COUNT}.0'


@pytest.fixture(scope="module")
def by_webhook(whole_site: Site) -> Iterator[None]:
    """Mover Pods get the sidecar from the coordinator, as on older clusters."""
    site = whole_site
    site.delete(injected.governing(POLICY).injecting())
    wait_out_of_force(site)
    site.kubectl.apply(*injected.installed(WEBHOOK))
    site.wait_governing()
    yield
    site.delete(injected.governing(WEBHOOK).injecting())
    wait_out_of_force(site)
    site.kubectl.apply(*injected.installed(POLICY))
    site.wait_governing()


def wait_out_of_force(site: Site) -> None:
    """The API server still uses for a while what was deleted: it is not to pass for the next."""
    until(lambda: not injected.governs(site.kubectl), "nothing is injected", between=0.2)


pytestmark = [pytest.mark.velero, pytest.mark.usefixtures("by_webhook")]


@pytest.fixture
def coordinators_back(site: Site) -> Iterator[None]:
    """Whatever happens, both replicas are there for the next test."""
    yield
    site.kubectl("scale", COORDINATOR, "--replicas=2")
    site.wait_governing()


def test_the_webhook_governs_a_backup_as_the_policy_does(site: Site) -> None:
    with midst(site, "webhook", 1, PODS, VOLUMES) as movers:
        assert sorted(movers.governed()) == sorted(movers.names())
    assert site.velero.wait("backup", "webhook") == "Completed"
    assert movers.phases() == COUNT * ["Completed"]
    assert movers.most_at_once() == 1


@pytest.mark.usefixtures("coordinators_back")
def test_without_a_coordinator_a_backup_runs_ungoverned_and_is_reported(site: Site) -> None:
    site.kubectl("scale", COORDINATOR, "--replicas=0")
    until(lambda: not site.coordinators(), "no coordinator is left", between=0.2)
    with midst(site, "alone", 1, PODS, VOLUMES, running=COUNT) as movers:
        assert not movers.governed()
        observed = json.loads(site.program("observe", "--limits=cm/node-slots", "--output=json"))
        site.kubectl("scale", COORDINATOR, "--replicas=1")
        site.kubectl.wait_rolled_out(COORDINATOR)
        told = until(lambda: _all_told(site.told_movers()), "the new leader knows them all")
        until(lambda: METRIC in site.metrics(), "its metrics count them")
        until(lambda: len(_told_of(site)) == COUNT, "each of them has its Event")
    assert site.velero.wait("backup", "alone") == "Completed"
    assert movers.most_at_once() == COUNT, "nothing limits it: Velero's own limit is out of the way"
    names = sorted(movers.names())
    assert sorted(one["name"] for one in observed["movers"] if not one["governed"]) == names
    assert [node["over"] for node in observed["nodes"]] == [COUNT - 1]
    assert (told["governed"], told["ungoverned"]) == (0, COUNT)
    assert sorted(one["pod"] for one in told["ungovernedPods"]) == [
        f"velero/{one}" for one in names
    ]


def _all_told(movers: dict[str, Any]) -> dict[str, Any]:
    return movers if len(movers["ungovernedPods"]) == COUNT else {}


def _told_of(site: Site) -> set[str]:
    """Of whom there are Events: a coordinator that was elected anew tells of all once more."""
    return {one["involvedObject"]["name"] for one in site.events(EVENT)}

"""Which Pods a guest's agent may name for its loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.core.access import Admissions, ClientNamespace
from coordinator.core.model import PodRef
from coordinator.service.desk import Known
from tests.api.callers import AGENT, GUEST
from tests.api.fakes import FakeDesk
from tests.api.test_claimant import put

if TYPE_CHECKING:
    from coordinator.service.coordinator import Coordinator
    from tests.api.callers import FakeCallers
    from tests.api.conftest import Caller
    from tests.api.fakes import FakePool


def named(namespace: str) -> dict[str, str]:
    return {"namespace": namespace, "name": "load", "uid": "u-load"}


@pytest.fixture(autouse=True)
def everywhere(coordinator: Coordinator, known: FakeCallers) -> None:
    """A Pod of that name runs on the node in every namespace; `far` may claim in another pool."""
    guests = [ClientNamespace("velero", "batch"), ClientNamespace("velero", "games")]
    coordinator.admissions = Admissions(
        ["velero", "other"], [*guests, ClientNamespace("other", "far")]
    )
    for namespace in ("velero", "batch", "games", "other", "far"):
        known.pods[f"{namespace}/load"] = "node1"


@pytest.mark.parametrize("namespace", ["velero", "games", "other", "far"])
async def test_a_guest_names_no_pod_of_another_namespace(
    api: Caller, known: FakeCallers, namespace: str
) -> None:
    """Nor does it learn whether there is one."""
    there = await put(api, GUEST, pod=named(namespace))
    known.pods.clear()
    absent = await put(api, GUEST, pod=named(namespace))
    assert there.problem == "forbidden"
    assert there.json["errors"][0]["field"] == "pod"
    assert (there.status, there.text) == (absent.status, absent.text)
    assert not known.looked


async def test_a_guest_names_pods_of_its_own(api: Caller) -> None:
    assert (await put(api, GUEST, pod=named("batch"))).status == 200


@pytest.mark.parametrize(
    ("namespace", "status"), [("velero", 200), ("batch", 200), ("other", 403), ("far", 403)]
)
async def test_an_agent_of_the_pools_namespace_names_those_that_may_claim_there(
    api: Caller, namespace: str, status: int
) -> None:
    assert (await put(api, AGENT, pod=named(namespace))).status == status


async def test_what_a_guest_holds_stays_with_the_pod_that_it_has(
    api: Caller, pool: FakePool
) -> None:
    had = PodRef("batch", "load", "u-load")
    pool.desks["node1"] = FakeDesk({"c1": Known(holds=True, pod=had)})
    assert (await put(api, GUEST, pod=named("games"))).status == 200
    assert pool.asked[0][1].terms.pod == had

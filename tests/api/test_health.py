"""What the kubelet and Prometheus get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from prometheus_client.parser import text_string_to_metric_families

from coordinator.core.happenings import Granted, HandedOver, Party, Reclaimed, Released
from coordinator.core.model import Cause
from coordinator.service.errors import NO_POOLS_LEFT
from tests.api.fakes import CONFIG

if TYPE_CHECKING:
    from coordinator.service.coordinator import Coordinator
    from coordinator.service.metrics import Metrics
    from tests.api.conftest import Answer, Caller
    from tests.api.fakes import FakeCoordinator, FakePool

LABELS = ("namespace", "node", "kind", "reason", "verb", "resource", "code")


def samples(answer: Answer) -> dict[str, float]:
    """Each sample by its name and label values."""
    families = text_string_to_metric_families(answer.text)
    return {
        " ".join(
            [sample.name, *(sample.labels[label] for label in LABELS if label in sample.labels)]
        ): sample.value
        for family in families
        for sample in family.samples
    }


async def test_a_process_without_an_api_server_is_alive_but_not_ready(
    health: Caller, pool: FakePool
) -> None:
    pool.trouble = "the list of Leases failed: connection refused"
    assert (await health("GET", "/livez")).status == 200
    answer = await health("GET", "/readyz")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert answer.text == f"[-] velero: {pool.trouble}\n"


async def test_a_complete_picture_is_ready(health: Caller) -> None:
    answer = await health("GET", "/readyz")
    assert (answer.status, answer.text) == (200, "[+] velero: ok\n")


async def test_a_replica_that_serves_no_pool_any_more_is_not_ready(
    health: Caller, coordinator: Coordinator
) -> None:
    cast("FakeCoordinator", coordinator).pools.clear()
    answer = await health("GET", "/readyz")
    assert (answer.status, answer.text) == (503, f"[-] coordinator: {NO_POOLS_LEFT}\n")


async def test_the_two_listeners_do_not_serve_each_others_routes(
    health: Caller, api: Caller
) -> None:
    assert (await health("GET", "/v1/status")).status == 404
    assert (await health("GET", "/metrics")).status == 404
    assert (await api("GET", "/readyz")).status == 404


async def test_a_scrape_shows_what_is_true_now(api: Caller) -> None:
    answer = await api("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = samples(answer)
    for node in ("node1", "node2", "node3"):
        assert found[f"nodeslots_slots_held velero {node}"] == 1
        assert found[f"nodeslots_limit velero {node}"] == 1
        assert found[f"nodeslots_queue_length velero {node}"] == 1
    assert found["nodeslots_config_accepted velero"] == 1


async def test_a_refused_config_shows_in_the_metrics(api: Caller, pool: FakePool) -> None:
    pool.settings = replace(CONFIG, accepted=False)
    assert samples(await api("GET", "/metrics"))["nodeslots_config_accepted velero"] == 0


async def test_a_pool_without_a_picture_shows_no_nodes(api: Caller, pool: FakePool) -> None:
    pool.trouble = "no list yet"
    found = samples(await api("GET", "/metrics"))
    assert found["nodeslots_pool_ready velero"] == 0
    assert not [name for name in found if name.startswith("nodeslots_slots_held")]


async def test_what_happened_is_counted(api: Caller, metrics: Metrics) -> None:
    a, b = Party("a", "load-a"), Party("b", "load-b")
    metrics.happened("velero", Granted("node1", "node1-slot-0", 0, a, 5, 0.5))
    metrics.happened("velero", HandedOver("node1", "node1-slot-0", 0, a, b, 6, 2.0, 60.0, 0.02))
    metrics.happened("velero", Reclaimed("node1", "node1-slot-0", 0, b, Cause.EXPIRED, "silent"))
    metrics.happened("velero", Released("node1", "node1-slot-0", 0, b, None))
    metrics.unknown("velero")
    metrics.api_request("update", "leases", "200", 0.02)
    found = samples(await api("GET", "/metrics"))
    assert found["nodeslots_grants_total velero grant"] == 1
    assert found["nodeslots_grants_total velero handover"] == 1
    assert found["nodeslots_handover_seconds_count velero"] == 1
    assert found["nodeslots_handover_seconds_sum velero"] == 0.02
    assert found["nodeslots_wait_seconds_count velero"] == 2
    assert found["nodeslots_wait_seconds_sum velero"] == 2.5
    assert found["nodeslots_hold_seconds_count velero"] == 1
    assert found["nodeslots_hold_seconds_sum velero"] == 60
    assert found["nodeslots_reclaims_total velero expired"] == 1
    assert found["nodeslots_writes_unknown_total velero"] == 1
    assert found["nodeslots_api_requests_total update leases 200"] == 1
    assert found["nodeslots_api_request_seconds_count update leases"] == 1

"""On the real API server: a ConfigMap that is refused, deleted or missing (promise P11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.cluster import CONFIG, limits
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Site

pytestmark = pytest.mark.real

KEPT = "the last good limits stay in force"
DEFAULT = "every node has the default limit of 1"


def _wait_refused(site: Site, why: str, stands_in: str) -> str:
    """Every place where it must show, but for the Event; what comes back is the error."""
    error = str(until(lambda: _error_with(site, why), f"refused for {why}: {site.config()}"))
    assert not site.config()["accepted"]
    assert CONFIG in error
    assert stands_in in error
    assert _accepted(site) == 0
    assert error in [line["error"] for line in site.coordinator.logged("config refused")]
    assert site.coordinator.health.get("/readyz").status == 200, "it serves on all the same"
    return error


def _error_with(site: Site, why: str) -> str:
    error = str(site.config()["error"])
    return error if why in error else ""


def _accepted(site: Site) -> float:
    return site.coordinator.metric("nodeslots_config_accepted", namespace=site.cluster.namespace)


def _wait_warned(cluster: Cluster, message: str) -> Any:
    """The Warning Event with these words, as it stands in the API server."""

    def found() -> list[Any]:
        return [event for event in cluster.warnings() if event["message"] == message]

    (event,) = until(found, f"Event {message!r}: {cluster.warnings()}")
    return event


REFUSED = {
    "no JSON": ({"limits.json": '{"loadConcurrency": '}, "not JSON"),
    "two keys": ({"a.json": limits(5), "b.json": limits(5)}, "a.json"),
    "no key": ({}, "no data"),
    "wrong type": ({"limits.json": '{"loadConcurrency": {"globalConfig": "5"}}'}, "globalConfig"),
}


@pytest.mark.parametrize(("keys", "why"), REFUSED.values(), ids=REFUSED)
def test_a_refused_config_leaves_the_last_good_limits_and_shows_everywhere_until_it_is_mended(
    site: Site, cluster: Cluster, keys: Mapping[str, str], why: str
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    site.granted(node, "first")

    cluster.configure(keys)
    error = _wait_refused(site, why, KEPT)
    event = _wait_warned(cluster, error)
    assert event["involvedObject"]["uid"] == cluster.config_uid()
    assert event["reason"] == "LimitsRefused"
    assert event["source"]["component"] == "node-slots"
    assert site.granted(node, "second")["slot"] == 1, "the limit is still 2"
    assert site.ask(node, "third").status == 202

    cluster.configure(limits(3))
    assert site.granted(node, "third")["slot"] == 2
    assert (site.config()["accepted"], site.config()["error"]) == (True, "")
    assert _accepted(site) == 1


def test_a_deleted_config_leaves_the_last_good_limits_until_there_is_one_again(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    site.granted(node, "first")

    cluster.delete_config()
    error = _wait_refused(site, "does not exist", KEPT)
    _wait_warned(cluster, error)
    assert site.granted(node, "second")["slot"] == 1

    cluster.configure(limits(1))
    site.wait_limit(node, 1)
    assert _accepted(site) == 1
    assert site.node(node)["held"] == 2, "who holds, keeps"


def test_a_start_without_the_config_falls_back_to_one_slot_loudly_and_takes_it_when_it_comes(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    site.start()

    error = _wait_refused(site, "does not exist", DEFAULT)
    _wait_warned(cluster, error)
    site.granted(node, "first")
    assert site.ask(node, "second").status == 202

    cluster.configure(limits(2))
    assert site.granted(node, "second")["slot"] == 1
    assert _accepted(site) == 1


def test_a_start_with_a_refused_config_falls_back_to_one_slot_and_holders_past_it_keep(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node()
    cluster.configure(limits(2))
    site.start()
    grants = {claim: site.granted(node, claim) for claim in ("first", "second")}
    assert site.stop() == 0
    cluster.configure("{")
    site.start()

    error = _wait_refused(site, "not JSON", DEFAULT)
    _wait_warned(cluster, error)
    assert site.node(node)["limit"] == 1
    assert site.node(node)["held"] == 2
    for claim, grant in grants.items():
        token = grant["fencingToken"]
        assert site.ask(node, claim, fencingToken=token).json["fencingToken"] == token
    site.release(node, "first")
    full = f"1 of 1 slots of {node} are held"
    until(lambda: site.ask(node, "third").json["reason"] == full, "no slot for the third")


def test_a_rule_that_counts_for_nothing_is_named_as_a_warning_and_the_others_count(
    site: Site, cluster: Cluster
) -> None:
    node = cluster.add_node(tier="big")
    cluster.configure(limits(1, small=0, big=2))
    site.start()

    assert site.config()["accepted"]
    assert any("perNodeConfig[0]" in warning for warning in site.config()["warnings"])
    assert site.node(node)["limit"] == 2


def test_without_a_config_named_every_node_has_one_slot(site: Site, cluster: Cluster) -> None:
    node = cluster.add_node()
    cluster.configure(limits(5))
    site.serve(config=None).wait_ready()

    site.granted(node, "first")
    assert site.ask(node, "second").status == 202
    assert site.config()["configMap"] is None
    assert cluster.warnings() == []

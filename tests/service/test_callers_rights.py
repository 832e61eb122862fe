"""What a caller may do, and where the Pod runs that a claim names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.core.access import Action
from coordinator.core.model import PodRef
from coordinator.embedded import objects
from coordinator.service.errors import NotConfirmed, PodElsewhere
from tests.service.cluster import NODE, NS
from tests.service.door import ACCESS_REVIEWS, CLIENTS, access_review, pod_get
from tests.service.faults import forbidden, lost_before

if TYPE_CHECKING:
    from tests.service.door import Door

READ = Action("list", NS)


async def test_every_call_asks_anew_and_the_answer_is_rbacs(at: Door) -> None:
    at.person("t", "alice")
    alice = await at.identify("t")
    allowed: list[dict[str, Any]] = []

    def rules(spec: dict[str, Any]) -> bool:
        allowed.append(spec)
        return len(allowed) < 3

    at.cluster.store.rules = rules
    assert [await at.callers.permits(alice, READ) for _ in range(3)] == [True, True, False]
    assert not await at.callers.permits(alice, Action("get", path="/metrics"))
    assert allowed[0]["resourceAttributes"]["verb"] == "list"
    assert allowed[0]["user"] == "alice"
    assert allowed[3]["nonResourceAttributes"] == {"path": "/metrics", "verb": "get"}
    assert len(at.asked(ACCESS_REVIEWS)) == 4
    text = at.metrics.render().decode()
    assert 'nodeslots_reviews_total{result="refused",review="access"} 2.0' in text


async def test_whoever_is_not_confirmed_may_nothing_and_is_not_asked_about(at: Door) -> None:
    at.person("t")
    alice = replace(await at.identify("t"), confirmed=False)
    with pytest.raises(NotConfirmed):
        await at.callers.permits(alice, READ)
    assert at.asked(ACCESS_REVIEWS) == []


@pytest.mark.parametrize("fate", [lost_before, forbidden])
async def test_nobody_may_anything_while_rights_cannot_be_asked_for(at: Door, fate: Any) -> None:
    at.person("t")
    alice = await at.identify("t")
    at.cluster.faults.on(access_review(), fate, times=1e9)
    for _ in range(40):
        with pytest.raises(NotConfirmed):
            await at.callers.permits(alice, READ)
        await at.cluster.jumps.advance(0.5)
    assert len(at.asked(ACCESS_REVIEWS)) <= 6
    assert (await at.identify("t")).confirmed


# --- the Pod that a claim names -------------------------------------------------------------------


async def test_a_pod_on_the_claims_node_may_be_named_with_or_without_its_uid(at: Door) -> None:
    uid = at.cluster.pod("load")
    await at.callers.require_pod_on(PodRef(NS, "load", uid), NODE)
    await at.callers.require_pod_on(PodRef(NS, "load"), NODE)


async def test_a_pod_of_a_client_namespace_may_be_named_too(at: Door) -> None:
    objects.put(at.cluster.store, objects.pod(CLIENTS, "load", NODE))
    await at.callers.require_pod_on(PodRef(CLIENTS, "load"), NODE)


@pytest.mark.parametrize(
    ("pod", "node", "why"),
    [
        (PodRef(NS, "never-made"), NODE, "does not exist"),
        (PodRef(NS, "load", "another"), NODE, "has another uid"),
        (PodRef(NS, "load"), "node2", "does not run on node node2"),
        (PodRef(NS, "pending"), NODE, "is not scheduled yet"),
        (PodRef("kube-system", "load"), NODE, "a namespace that this coordinator does not serve"),
    ],
)
async def test_any_other_pod_is_refused_with_the_reason(
    at: Door, pod: PodRef, node: str, why: str
) -> None:
    at.cluster.pod("load")
    objects.put(at.cluster.store, objects.pod(NS, "pending", ""))
    with pytest.raises(PodElsewhere, match=why) as raised:
        await at.callers.require_pod_on(pod, node)
    assert f"{pod.namespace}/{pod.name}" in str(raised.value)


async def test_pods_of_other_namespaces_are_never_looked_at(at: Door) -> None:
    with pytest.raises(PodElsewhere):
        await at.callers.require_pod_on(PodRef("kube-system", "load"), NODE)
    assert [one for one in at.cluster.faults.sent if "pods" in one.path] == []


@pytest.mark.parametrize("fate", [lost_before, forbidden])
async def test_where_a_pod_runs_is_not_confirmed_while_nobody_can_be_asked(
    at: Door, fate: Any
) -> None:
    at.cluster.pod("load")
    at.cluster.faults.on(pod_get(), fate)
    with pytest.raises(NotConfirmed, match=f"where Pod {NS}/load runs"):
        await at.callers.require_pod_on(PodRef(NS, "load"), NODE)
    await at.cluster.jumps.advance(2)
    await at.callers.require_pod_on(PodRef(NS, "load"), NODE)

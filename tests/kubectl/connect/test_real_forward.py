"""The coordinator is reached through the real API server, by the rights of one's own kubeconfig."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coordinator.kubectl.connect import Unreachable, connect, way
from tests.e2e.people import on_leases
from tests.kubectl.connect.scene import FORWARDING, LOOKING, TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.kubectl.connect import Options
    from tests.kubectl.connect.scene import Scene

pytestmark = pytest.mark.real
CLOSED = 1
"""A port that nobody listens on."""
ENOUGH = 10.0
"""Seconds: what a mute Pod costs the test, and a good one may take."""


async def nodes(options: Options) -> list[str]:
    """The pool's nodes, as the coordinator tells them: this case's, and others' of that server."""
    async with connect(options) as cluster:
        coordinator = await cluster.coordinator()
        told = await coordinator.get(f"/v1/namespaces/{cluster.namespace}/nodes")
    return [one["node"] for one in told["nodes"]]


async def unreachable(options: Options) -> str:
    async with connect(options) as cluster:
        with pytest.raises(Unreachable) as caught:
            await cluster.coordinator()
    return str(caught.value)


async def test_a_person_who_may_look_gets_the_pool_and_the_kubelet_no_token(
    scene: Scene, tmp_path: Path
) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    assert scene.node in await nodes(scene.person(tmp_path, "jane"))
    assert scene.kubelet.asked == [("replica-1", "8443")], "one tunnel for all requests"
    assert not any("Authorization" in head for head in scene.kubelet.heads)


async def test_a_pod_that_does_not_answer_is_passed_over(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way, "ATTEMPT", ENOUGH)
    scene.site.start()
    for name, port in (("a-shut", CLOSED), ("b-mute", None), ("c-good", scene.port)):
        scene.add_pod(name, port)
    scene.add_pod("0-starting", CLOSED, ready=False)
    scene.kubelet.mute.add("b-mute")
    options = scene.person(tmp_path, "jane")
    assert scene.node in await nodes(options)
    assert [pod for pod, _ in scene.kubelet.asked] == ["a-shut", "b-mute", "c-good"]


async def test_when_nobody_answers_all_that_was_tried_is_told(scene: Scene, tmp_path: Path) -> None:
    options = scene.person(tmp_path, "jane")
    assert "no Pod of Service" in await unreachable(options)
    scene.add_pod("a-shut", CLOSED)
    scene.add_pod("b-starting", CLOSED, ready=False)
    told = await unreachable(options)
    assert "Pod a-shut: error forwarding port 8443 to pod a-shut" in told
    assert "Pod b-starting (not ready): error forwarding" in told


async def test_a_node_whose_kubelet_is_away_is_told(scene: Scene, tmp_path: Path) -> None:
    scene.add_pod("replica-1", CLOSED)
    await scene.kubelet.stop()
    told = await unreachable(scene.person(tmp_path, "jane"))
    assert "does its node's kubelet run?" in told


async def test_a_coordinator_that_is_not_installed_is_told(scene: Scene, tmp_path: Path) -> None:
    options = scene.person(tmp_path, "jane")
    told = await unreachable(replace(options, service="other"))
    assert f"there is no Service other in namespace {scene.cluster.namespace}" in told
    assert "--service" in told


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ("services", "you may not get services in namespace"),
        ("pods", "you may not list pods in namespace"),
        ("pods/portforward", "the rights to get and create pods/portforward in namespace"),
    ],
)
async def test_a_right_that_is_missing_is_named(
    resource: str, told: str, scene: Scene, tmp_path: Path
) -> None:
    scene.add_pod("replica-1", scene.port)
    rights = [rule for rule in FORWARDING if resource not in rule["resources"]]
    rights.append({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]})
    assert told in await unreachable(scene.person(tmp_path, "jack", *rights))


async def test_only_the_published_authority_is_believed(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    options = scene.person(tmp_path, "jane")
    other = replace(options, ca_file=str(scene.cluster.server.ca_file))
    told = await unreachable(other)
    assert "its certificate is not accepted" in told
    assert "--ca-file" in told
    assert scene.node in await nodes(replace(options, ca_file=str(scene.site.mount.file)))


async def test_without_the_right_to_read_the_authority_that_is_told(
    scene: Scene, tmp_path: Path
) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    rights = [rule for rule in LOOKING if "configmaps" not in rule["resources"]]
    rights.append({"apiGroups": [""], "resources": ["services"], "verbs": ["get"]})
    options = scene.person(tmp_path, "jack", *rights)
    told = await unreachable(options)
    assert "you may not get configmaps" in told
    assert "--ca-file" in told
    assert scene.node in await nodes(replace(options, ca_file=str(scene.site.mount.file)))


async def test_an_account_lends_its_token_to_who_has_none(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    scene.person(tmp_path, "viewer", on_leases("get", "list"))
    makes = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]}
    options = scene.person(tmp_path, "jack", *FORWARDING, makes)
    assert scene.node in await nodes(replace(options, service_account="viewer"))


async def test_a_tunnel_that_is_cut_is_made_anew(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("a-first", scene.port)
    scene.add_pod("b-second", scene.port)
    async with connect(scene.person(tmp_path, "jane")) as cluster:
        coordinator = await cluster.coordinator()
        await scene.kubelet.cut()
        scene.kubelet.ports["a-first"] = CLOSED
        for _ in range(3):
            await coordinator.get(f"/v1/namespaces/{cluster.namespace}")
        assert [pod for pod, _ in scene.kubelet.asked] == ["a-first", "a-first", "b-second"]


async def test_large_answers_and_many_at_once_go_through_tunnels(
    scene: Scene, tmp_path: Path
) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    async with connect(scene.person(tmp_path, "jane")) as cluster:
        coordinator = await cluster.coordinator()
        told = await coordinator.get("/openapi.json")
        assert len(str(told)) > 50_000
        asked = [coordinator.get(f"/v1/namespaces/{cluster.namespace}") for _ in range(20)]
        assert len({one["namespace"] for one in await asyncio.gather(*asked)}) == 1


async def test_events_survive_the_end_of_the_tunnel(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    async with connect(scene.person(tmp_path, "jane")) as cluster:
        coordinator = await cluster.coordinator()
        chosen = coordinator.events(cluster.namespace)
        async with asyncio.timeout(60), aclosing(chosen) as happened:
            assert (await anext(happened)).name == "hello"
            await scene.kubelet.cut()
            names = [(await anext(happened)).name for _ in range(3)]
    assert names == ["lost", "back", "hello"]


async def test_all_tunnels_end_with_the_connection(scene: Scene, tmp_path: Path) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    await nodes(scene.person(tmp_path, "jane"))
    async with asyncio.timeout(TIMEOUT):
        await scene.kubelet.wait_idle()

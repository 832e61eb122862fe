"""`kubectl node-slots`: the list, with a coordinator and from the Leases alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from coordinator.embedded.resources import CONFIG_MAPS, LEASES
from coordinator.kubectl import exits
from coordinator.kubectl.nodes import WHOLE
from coordinator.kubectl.table import UNKNOWN
from tests.kubectl.stand import CONFIG, NS, run_plugin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubectl.stand import Stand


async def test_without_a_command_every_node_is_listed_the_one_with_the_wait_first(
    busy: Stand,
) -> None:
    told = await busy.run()
    assert (told.code, told.err) == (exits.OK, "")
    assert told.lines[0].split() == [
        *("NODE", "STATUS", "LIMIT", "HELD", "WAITING", "OLDEST", "RULE"),
    ]
    assert [line.split()[0] for line in told.lines[1:]] == ["worker-2", "worker-1", "worker-3"]
    assert told.row("worker-2")[:5] == ["worker-2", "Full", "2", "2", "2"]
    assert told.row("worker-1")[1:] == ["Free", "3", "0", "0", "<none>", "perNodeConfig[0]"]


async def test_nodes_that_are_named_are_shown_and_one_that_is_not_there_is_told(
    busy: Stand,
) -> None:
    told = await busy.run("nodes", "worker-3", "worker-9", "--no-headers")
    assert [line.split()[0] for line in told.lines] == ["worker-3"]
    assert "node worker-9 is not known here" in told.err
    assert told.code == exits.WRONG


async def test_json_and_yaml_are_the_same_data(busy: Stand) -> None:
    as_json = (await busy.run("-o", "json")).json
    assert (as_json["namespace"], as_json["source"]) == (NS, "coordinator")
    held = {node["node"]: node["held"] for node in as_json["nodes"]}
    assert held == {"worker-1": 0, "worker-2": 2, "worker-3": 1}
    as_yaml = yaml.safe_load((await busy.run("-o", "yaml")).out)
    assert {node["node"]: node["held"] for node in as_yaml["nodes"]} == held


async def test_names_are_what_kubectl_takes(busy: Stand) -> None:
    told = await busy.run("-o", "name")
    assert told.lines == ["node/worker-2", "node/worker-1", "node/worker-3"]


async def test_wide_has_the_selector_and_the_hold(busy: Stand) -> None:
    await busy.run("hold", "worker-1", "--reason", "new-disk")
    await busy.on_hold("worker-1")
    told = await busy.run("-o", "wide")
    assert told.row("worker-1")[-5:] == ["perNodeConfig[0]", "tier=fast", "0", "0", "new-disk"]
    assert told.row("worker-1")[1] == "Free,OnHold"


async def test_in_a_large_pool_idle_nodes_are_counted_unless_all_are_wanted(busy: Stand) -> None:
    for number in range(WHOLE):
        busy.add_node(f"idle-{number}")
    await busy.seen(lambda found: len(found.pool(NS).nodes()) == WHOLE + 3, "all nodes")
    told = await busy.run()
    assert [line.split()[0] for line in told.lines[1:]] == ["worker-2", "worker-3"]
    assert f"{WHOLE + 1} nodes with nothing held and nobody waiting left out" in told.err
    assert len((await busy.run("--all")).lines) == WHOLE + 4
    assert len((await busy.run("-o", "json")).json["nodes"]) == WHOLE + 3


async def test_more_nodes_than_one_page_are_all_there(served: Stand) -> None:
    for number in range(520):
        served.add_node(f"many-{number:03}")
    await served.seen(lambda found: len(found.pool(NS).nodes()) == 523, "all nodes")
    told = await served.run("-o", "name")
    assert len(set(told.lines)) == 523


async def test_without_a_coordinator_the_leases_tell_who_holds_and_no_more(alone: Stand) -> None:
    async with alone.serving():
        for claim in ("a", "b"):
            await alone.ask("worker-2", claim)
        await alone.ask("worker-2", "waits", waits=True)
    told = await alone.run()
    assert told.code == exits.OK
    assert told.row("worker-2") == ["worker-2", "Full", "2", "2", UNKNOWN, UNKNOWN, "globalConfig"]
    assert told.row("worker-1")[2] == "3", "the limit is worked out from the ConfigMap"
    assert "no coordinator answered" in told.err
    assert "only a coordinator knows" in told.err
    as_data = (await alone.run("-o", "json")).json
    assert as_data["source"] == "leases"
    assert {node["queued"] for node in as_data["nodes"]} == {None}


async def test_a_configmap_under_another_name_can_be_named(alone: Stand) -> None:
    text = alone.store.list(CONFIG_MAPS, NS)[0]["data"]
    made = {"metadata": {"name": "mine", "namespace": NS}, "data": text}
    alone.store.create(CONFIG_MAPS, NS, {"apiVersion": "v1", "kind": "ConfigMap", **made})
    alone.store.delete(CONFIG_MAPS, NS, CONFIG)
    without = await alone.run()
    assert without.row("worker-1")[1:3] == ["Unknown", UNKNOWN]
    assert f"has no ConfigMap {CONFIG}; --configmap names another" in without.err
    assert (await alone.run("--configmap", "mine")).row("worker-1")[2] == "3"


async def test_a_refused_configmap_is_no_limit(alone: Stand) -> None:
    alone.store.patch(CONFIG_MAPS, NS, CONFIG, {"data": {"limits.json": "{"}})
    told = await alone.run()
    assert told.row("worker-1")[2] == UNKNOWN
    assert f"ConfigMap {CONFIG} is refused" in told.err


async def test_a_strangers_lease_under_a_slots_name_counts_as_held(alone: Stand) -> None:
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {}}
    alone.store.create(LEASES, NS, lease | {"metadata": {"name": "worker-1-slot-0"}})
    assert (await alone.run()).row("worker-1")[3] == "1"
    blocked = (await alone.run("node", "worker-1", "-o", "json")).json["slots"][0]
    assert blocked["state"] == "blocked"


def test_an_api_server_that_is_away_is_told_apart_from_everything_else(tmp_path: Path) -> None:
    cluster = {"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    file = tmp_path / "kubeconfig"
    config = {"current-context": "x", "clusters": [cluster], "contexts": [context]}
    file.write_text(json.dumps({**config, "users": [{"name": "x", "user": {}}]}))
    told = run_plugin(["--kubeconfig", str(file), "-n", "velero"])
    assert (told.code, told.out) == (exits.NO_CLUSTER, "")


def test_a_kubeconfig_that_is_not_there_is_told() -> None:
    told = run_plugin(["--kubeconfig", "/nowhere"])
    assert (told.code, told.out) == (exits.NO_CLUSTER, "")
    assert "no kubeconfig at /nowhere" in told.err

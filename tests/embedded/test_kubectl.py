"""kubectl against the embedded server, as a person at the demo's second terminal uses it."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import pytest

from coordinator.embedded import objects, server
from coordinator.embedded.resources import CONFIG_MAPS, LEASES, NODES
from coordinator.embedded.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DEADLINE_SECONDS = 60.0
KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(
    KUBECTL is None, reason="NOT TESTED: kubectl is not installed, the demo's commands were not run"
)

LEASE = """
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: applied, namespace: velero}
spec: {holderIdentity: HOLDER}
"""


@dataclass
class Kubectl:
    """kubectl with a home and a kubeconfig of its own."""

    store: Store
    folder: Path

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        own = {"KUBECONFIG": str(self.folder / "config"), "HOME": str(self.folder)}
        return await asyncio.create_subprocess_exec(
            str(KUBECTL),
            *arguments,
            env={**os.environ, **own, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """Runs to the end; returns what it printed."""
        process = await self.start(*arguments, **environment)
        async with asyncio.timeout(DEADLINE_SECONDS):
            out, _ = await process.communicate()
        assert bool(process.returncode) == fails, out.decode()
        return out.decode()


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    store = Store()
    for one in (
        objects.namespace("velero"),
        objects.node("node1", {"zone": "a"}),
        objects.node("node2", ready=False),
        objects.config_map("velero", "limits", {"f.json": '{"globalConfig":2}'}),
        objects.lease("velero", "node1-slot-0", "pod/load"),
    ):
        objects.put(store, one)
    running = await server.start(store)
    (tmp_path / "config").write_bytes(orjson.dumps(running.kubeconfig()))
    yield Kubectl(store, tmp_path)
    await running.stop()


async def test_get_prints_the_columns_that_people_know(kubectl: Kubectl) -> None:
    leases = (await kubectl.run("get", "leases", "-n", "velero")).splitlines()
    assert [line.split()[:2] for line in leases] == [
        ["NAME", "HOLDER"],
        ["node1-slot-0", "pod/load"],
    ]
    nodes = (await kubectl.run("get", "no", "-o", "wide")).splitlines()
    assert [line.split()[:2] for line in nodes[1:]] == [["node1", "Ready"], ["node2", "NotReady"]]
    assert await kubectl.run("get", "nodes", "-l", "zone=a", "-o", "name") == "node/node1\n"


async def test_get_gives_whole_objects(kubectl: Kubectl) -> None:
    found = orjson.loads(await kubectl.run("get", "cm", "-n", "velero", "limits", "-o", "json"))
    assert found == kubectl.store.get(CONFIG_MAPS, "velero", "limits")
    assert "holderIdentity: pod/load" in await kubectl.run("get", "leases", "-A", "-o", "yaml")


async def test_edit_changes_a_config_map(kubectl: Kubectl) -> None:
    editor = kubectl.folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i \'s/globalConfig":2/globalConfig":7/\' "$1"\n')
    editor.chmod(0o700)
    await kubectl.run("edit", "cm", "limits", "-n", "velero", EDITOR=str(editor))
    data = kubectl.store.get(CONFIG_MAPS, "velero", "limits")["data"]
    assert data == {"f.json": '{"globalConfig":7}'}


async def test_delete_removes_a_lease_and_waits_until_it_is_gone(kubectl: Kubectl) -> None:
    out = await kubectl.run("delete", "lease", "node1-slot-0", "-n", "velero")
    assert "deleted" in out
    assert kubectl.store.list(LEASES) == []
    again = await kubectl.run("delete", "lease", "node1-slot-0", "-n", "velero", fails=True)
    assert "NotFound" in again


async def test_create_makes_a_config_map_from_a_file(kubectl: Kubectl) -> None:
    path = kubectl.folder / "limits.json"
    path.write_text('{"loadConcurrency": {"globalConfig": 3}}')
    await kubectl.run("create", "cm", "more", "-n", "velero", f"--from-file={path}")
    made = kubectl.store.get(CONFIG_MAPS, "velero", "more")
    assert made["data"] == {"limits.json": path.read_text()}


async def test_nodes_are_annotated_labelled_tainted_and_cordoned(kubectl: Kubectl) -> None:
    await kubectl.run("annotate", "node", "node1", "nodeslots.io/hold=repair")
    await kubectl.run("label", "node", "node1", "zone-", "disk=ssd")
    await kubectl.run("taint", "node", "node1", "a=b:NoSchedule")
    await kubectl.run("cordon", "node1")
    node = kubectl.store.get(NODES, "", "node1")
    assert node["metadata"]["annotations"] == {"nodeslots.io/hold": "repair"}
    assert node["metadata"]["labels"].get("disk") == "ssd"
    assert "zone" not in node["metadata"]["labels"]
    assert node["spec"]["unschedulable"]
    assert [one["key"] for one in node["spec"]["taints"]] == ["a"]


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"spec":{"holderIdentity":""}}'),
        ("strategic", '{"spec":{"holderIdentity":""}}'),
        ("json", '[{"op":"replace","path":"/spec/holderIdentity","value":""}]'),
    ],
)
async def test_patch_clears_a_holder(kubectl: Kubectl, kind: str, patch: str) -> None:
    await kubectl.run("patch", "lease", "node1-slot-0", "-n", "velero", "--type", kind, "-p", patch)
    assert kubectl.store.get(LEASES, "velero", "node1-slot-0")["spec"]["holderIdentity"] == ""


async def test_apply_creates_then_changes(kubectl: Kubectl) -> None:
    path = kubectl.folder / "lease.yaml"
    for holder in ("first", "second"):
        path.write_text(LEASE.replace("HOLDER", holder))
        await kubectl.run("apply", "-f", str(path))
    assert kubectl.store.get(LEASES, "velero", "applied")["spec"]["holderIdentity"] == "second"


async def test_server_side_apply_is_refused_by_name(kubectl: Kubectl) -> None:
    path = kubectl.folder / "lease.yaml"
    path.write_text(LEASE)
    out = await kubectl.run("apply", "--server-side", "-f", str(path), fails=True)
    assert "no server-side apply" in out


async def test_a_misspelt_field_is_refused_before_anything_is_written(kubectl: Kubectl) -> None:
    path = kubectl.folder / "lease.yaml"
    path.write_text(LEASE.replace("holderIdentity", "holder"))
    out = await kubectl.run("create", "-f", str(path), fails=True)
    assert 'unknown field "spec.holder"' in out
    assert len(kubectl.store.list(LEASES)) == 1


async def test_get_watches(kubectl: Kubectl) -> None:
    process = await kubectl.start("get", "leases", "-n", "velero", "-w", "--no-headers")
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            assert (await process.stdout.readline()).split()[1] == b"pod/load"
            patch = {"spec": {"holderIdentity": "pod/next"}}
            kubectl.store.patch(LEASES, "velero", "node1-slot-0", patch)
            assert (await process.stdout.readline()).split()[1] == b"pod/next"
    finally:
        process.kill()
        await process.communicate()


async def test_describe_shows_a_node_and_a_lease(kubectl: Kubectl) -> None:
    assert "pod/load" in await kubectl.run("describe", "lease", "-n", "velero", "node1-slot-0")
    assert "zone=a" in await kubectl.run("describe", "node", "node1")


async def test_discovery_names_the_kinds(kubectl: Kubectl) -> None:
    names = (await kubectl.run("api-resources", "-o", "name")).split()
    assert {"nodes", "pods", "configmaps", "leases.coordination.k8s.io"} <= set(names)
    assert "embedded" in await kubectl.run("version")
    assert (await kubectl.run("auth", "can-i", "create", "leases")).strip() == "yes"

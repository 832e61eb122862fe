"""kubectl finds the plugin by itself, and it reaches the coordinator through a real kubelet."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.processes import SCRIPTS
from tests.e2e.waiting import until
from tests.kubectl.connect.scene import printed
from tests.kubelet.images import IMAGE
from tests.kubelet.loads import PYTHON
from tests.kubelet.site import FIRST, NAMESPACE, SECOND
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kubelet.loads import Place
    from tests.kubelet.site import Site

pytestmark = pytest.mark.kubelet
DOOR = "zz-door"
"""It comes after the replicas: each is tried first, and its node says that nobody listens."""
RELAY = """
import asyncio, sys

async def pipe(reader, writer):
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()

async def serve(reader, writer):
    try:
        theirs, ours = await asyncio.open_connection(sys.argv[2], int(sys.argv[3]))
    except OSError:
        return writer.close()
    await asyncio.gather(pipe(reader, ours), pipe(theirs, writer), return_exceptions=True)

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


class Plugin:
    """`kubectl node-slots`, typed by the administrator."""

    def __init__(self, site: Site) -> None:
        path = os.pathsep.join([str(SCRIPTS), "/usr/bin", "/bin"])
        config = site.plane.server.kubeconfig
        self._kubectl = str(site.plane.programs / "kubectl")
        self._environment = {"KUBECONFIG": str(config), "PATH": path, "HOME": str(config.parent)}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [self._kubectl, "node-slots", *words, "--namespace", NAMESPACE]
        return subprocess.run(
            command, env=self._environment, check=False, capture_output=True, text=True, timeout=90
        )

    def rows(self) -> dict[str, dict[str, str]]:
        """What is printed of each node, once a coordinator answers."""
        done = self("nodes")
        if done.returncode != 0 or "no coordinator" in done.stderr.lower():
            return {}
        return printed(done.stdout)


@pytest.fixture
def plugin(site: Site) -> Iterator[Plugin]:
    """A port-forward leads to a Pod's loopback address, and here the replicas listen at their
    node's alone; so one more Pod of the Service listens there and passes on.
    """
    site.kubectl.apply(door(site))
    site.kubectl.wait("condition=Ready", f"pod/{DOOR}")
    yield Plugin(site)
    site.kubectl("delete", "pod", DOOR, "--wait=true")


def door(site: Site) -> dict[str, Any]:
    (first, *_) = site.coordinators()
    labels = first["metadata"]["labels"]
    (container,) = first["spec"]["containers"]
    (https,) = (port for port in container["ports"] if port["name"] == "https")
    port = free_port()  # on the host's network no two Pods of a node may name one port
    there = (first["status"]["podIP"], str(https["containerPort"]))
    command = [PYTHON, "-c", RELAY, str(port), *there]
    main = {"name": "main", "image": IMAGE, "imagePullPolicy": "Never", "command": command}
    main["ports"] = [{"name": "https", "containerPort": port}]
    selected = {key: value for key, value in labels.items() if key.startswith("app.")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": DOOR, "namespace": NAMESPACE, "labels": selected},
        "spec": {
            "hostNetwork": True,
            "nodeName": FIRST,
            "terminationGracePeriodSeconds": 1,
            "containers": [main],
        },
    }


def test_kubectl_shows_who_holds_and_who_waits_and_why(
    site: Site, place: Place, plugin: Plugin
) -> None:
    site.limit(1, 2)
    site.kubectl.apply(place.pod("runs", FIRST))
    place.journal.wait_started("runs")
    site.kubectl.apply(place.pod("waits", FIRST))
    site.wait_waiting("waits")
    rows = until(plugin.rows, "the plugin reaches the coordinator")
    columns = ("LIMIT", "HELD", "WAITING")
    assert [rows[FIRST][name] for name in columns] == ["1", "1", "1"]
    assert [rows[SECOND][name] for name in columns] == ["2", "0", "0"]
    why = plugin("explain", "waits")
    assert why.returncode == 0, why.stderr
    assert "runs" in why.stdout
    place.journal.end_all()
    site.wait_succeeded("waits")

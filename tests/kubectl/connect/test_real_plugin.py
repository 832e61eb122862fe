"""The program itself, with a kubeconfig and nothing else: the table, by port-forward."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e.processes import SCRIPTS
from tests.kubectl.connect.scene import TIMEOUT, printed

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.kubectl.connect import Options
    from tests.kubectl.connect.scene import Scene

pytestmark = pytest.mark.real


async def run(options: Options, *words: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of `kubectl node-slots`."""
    where = ("--kubeconfig", options.kubeconfig, "-n", options.namespace)
    command = (str(SCRIPTS / "kubectl-node_slots"), *words, *where, "--service", options.service)
    command += ("--timeout", f"{TIMEOUT:g}")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_nodes_are_shown_and_after_the_coordinators_end_the_leases_alone(
    scene: Scene, tmp_path: Path
) -> None:
    scene.site.start()
    scene.add_pod("replica-1", scene.port)
    scene.site.granted(scene.node, "c1", load="nightly")
    options = scene.person(tmp_path, "jane")
    code, out, err = await run(options)
    assert code == 0, err
    assert scene.kubelet.asked
    row = printed(out)[scene.node]
    assert (row["LIMIT"], row["HELD"], row["WAITING"]) == ("1", "1", "0")
    scene.site.stop()
    code, out, err = await run(options)
    assert scene.node in out, err
    assert "error forwarding port 8443 to pod replica-1" in err

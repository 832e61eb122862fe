"""What the kubelet tells of a container comes after the container itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.kubelet.kubectl import Kubectl, running

if TYPE_CHECKING:
    from pathlib import Path

MADE = {"name": "hold", "state": {"waiting": {"reason": "PodInitializing"}}}
STARTED = {"name": "hold", "state": {"running": {}}, "containerID": "containerd://7"}
ENDED = {"name": "main", "state": {"terminated": {}}, "containerID": "containerd://8"}
TELLS_IN_TURN = (
    '#!/bin/sh\ncat "$HOME"/*.json | head -n 1\nrm -f "$(ls "$HOME"/*.json | head -n 1)"\n'
)


def pod(**status: Any) -> dict[str, Any]:
    return {"status": status}


def test_only_a_container_that_runs_has_an_id_to_kill_it_by() -> None:
    assert running(pod()) == {}
    assert running(pod(initContainerStatuses=[MADE])) == {}
    told = pod(initContainerStatuses=[STARTED], containerStatuses=[ENDED])
    assert running(told) == {"hold": "containerd://7"}


def test_a_container_is_waited_for_until_the_kubelet_has_told_it(tmp_path: Path) -> None:
    """Its program may run, and say so in its log, before the API server has heard of it."""
    for number, one in enumerate([pod(), pod(initContainerStatuses=[MADE])]):
        (tmp_path / f"{number}.json").write_text(json.dumps(one) + "\n")
    (tmp_path / "2.json").write_text(json.dumps(pod(initContainerStatuses=[STARTED])) + "\n")
    program = tmp_path / "kubectl"
    program.write_text(TELLS_IN_TURN)
    program.chmod(0o755)
    assert (
        Kubectl(program, tmp_path / "kubeconfig", "any").container("any", "hold")
        == "containerd://7"
    )

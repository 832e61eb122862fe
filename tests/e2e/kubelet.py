"""The kubelet's part of a Pod with `slot-agent hold`: none runs beside the real API server."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from tests.e2e.processes import SCRIPTS, STOP
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site

RUNNING: dict[str, Any] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


def be_ready(cluster: Cluster, node: str) -> None:
    """The node's kubelet says that it is well."""
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "it is"}
    answer = cluster.api.merge(f"/api/v1/nodes/{node}/status", {"status": {"conditions": [ready]}})
    assert answer.status == 200, answer.raw


def ended(code: int) -> dict[str, Any]:
    reason = "Error" if code else "Completed"
    return {"terminated": {"exitCode": code, "reason": reason, "containerID": "cri-o://none"}}


class HeldPod:
    """A Pod with one container `main` and the sidecar `hold`, which runs as a real process."""

    def __init__(self, site: Site, node: str, name: str, *flags: str) -> None:
        self.name = name
        self._site = site
        self._cluster: Cluster = site.cluster
        self._node = node
        self._flags = flags
        self._folder = site.folder / f"state-of-{name}"
        self._folder.mkdir()
        self.pod = site.agents.adopt(self._create())
        self.hold: Program

    def _create(self) -> dict[str, str]:
        hold = {"name": "hold", "image": "example.org/none", "restartPolicy": "Always"}
        return self._cluster.add_pod(self._node, self.name, initContainers=[hold])

    # --- the hold container -----------------------------------------------------------------------

    def start(self) -> HeldPod:
        """Starts the hold container, for the first time or again."""
        environment = {
            "POD_NAMESPACE": self._cluster.namespace,
            "POD_NAME": self.name,
            "POD_UID": self.pod.uid,
            "NODE_SLOTS_TOKEN_FILE": str(self.pod.token_file),
        }
        command = [str(SCRIPTS / "slot-agent"), "hold", "--state-dir", str(self._folder)]
        command += self._flags
        self.hold = self._site.run(f"hold-{self.name}", self._node, command, **environment)
        return self

    def terminate(self) -> None:
        """SIGTERM; hold has to leave with 0."""
        self.hold.send(signal.SIGTERM)
        assert self.hold.exit_code(STOP) == 0, self.hold.output

    def kill(self) -> None:
        self.hold.send(signal.SIGKILL)
        assert self.hold.exit_code(STOP) == 128 + signal.SIGKILL

    @property
    def record(self) -> dict[str, Any]:
        """What this run of hold has told; that of an earlier one does not count."""
        try:
            found: dict[str, Any] = json.loads((self._folder / "hold.json").read_text())
        except FileNotFoundError:
            return {}
        return found if found.get("pid") == self.hold.pid else {}

    @property
    def may_start(self) -> bool:
        """What the startup probe sees."""
        return (self._folder / "granted").exists()

    def wait_held(self) -> HeldPod:
        until(
            lambda: self.record.get("state") == "held" and self.may_start,
            f"{self.name} may start: {self.hold.output}",
        )
        return self

    def wait_queued(self, position: int) -> HeldPod:
        until(lambda: self.record.get("position") == position, f"{self.name} at {position}")
        return self

    # --- the Pod's own container ------------------------------------------------------------------

    def starts(self) -> HeldPod:
        """The startup probe has succeeded: the container `main` runs."""
        assert self.may_start
        self._tell("Running", RUNNING)
        return self

    def ends(self, code: int = 0) -> None:
        """The container `main` has ended; the sidecar still runs."""
        self._tell("Running", ended(code))

    def delete_now(self) -> None:
        """`kubectl delete pod --grace-period=0 --force`."""
        self._cluster.delete_pod(self.name)

    def _tell(self, phase: str, main: dict[str, Any]) -> None:
        seen = {
            "name": "main",
            "state": main,
            "lastState": {},
            "ready": False,
            "restartCount": 0,
            "image": "example.org/none",
            "imageID": "",
        }
        status = {"phase": phase, "containerStatuses": [seen]}
        self._cluster.tell(self.name, status)

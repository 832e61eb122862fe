"""What is backed up: Pods with volumes of random data, that tell the checksum of each volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until
from tests.kubelet.kubectl import Kubectl

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubelet.controlplane import ControlPlane

VOLUME_MEGABYTES = 4
_PROGRAM = """\
import hashlib, os, pathlib, signal, sys
for volume in sys.argv[2:]:
    data = pathlib.Path('/data', volume, 'data')
    if not data.exists():
        data.write_bytes(os.urandom(int(sys.argv[1]) << 20))
    print(volume, hashlib.sha256(data.read_bytes()).hexdigest(), flush=True)
signal.sigwait([signal.SIGTERM])
"""
"""Data that is there is left alone: restored volumes have the checksums that were backed up."""


class Workload:
    """`pods` Pods of `volumes` volumes each, in a namespace of their own."""

    def __init__(
        self, plane: ControlPlane, namespace: str, image: str, pods: int, volumes: int
    ) -> None:
        self.namespace = namespace
        self.pods = pods
        self.volumes = volumes
        self._plane = plane
        self._image = image

    @property
    def kubectl(self) -> Kubectl:
        program: Path = self._plane.programs / "kubectl"
        return Kubectl(program, self._plane.server.kubeconfig, self.namespace)

    def start(self) -> None:
        """Returns when all Pods are there; their data may not be."""
        self._plane.add_namespace(self.namespace)
        self.kubectl.apply(*map(self._pod, self._names()))

    def checksums(self) -> dict[str, str]:
        """Of each volume, as POD/VOLUME, once they are all there and every Pod is told as Ready.

        The kubelet tells that late, and Velero backs up no volume of a Pod that is not Running.
        """
        self.kubectl.wait("condition=Ready", *(f"pod/{name}" for name in self._names()))
        count = self.pods * self.volumes
        return until(
            lambda: found if len(found := self._told()) == count else {},
            f"{count} volumes of {self.namespace} have data",
            between=0.5,
        )

    def _names(self) -> list[str]:
        return [f"load-{number}" for number in range(self.pods)]

    def _told(self) -> dict[str, str]:
        found = {}
        for pod in self._names():
            for line in self.kubectl.outcome("logs", pod, "--container=main")[1].splitlines():
                volume, checksum = line.split()
                found[f"{pod}/{volume}"] = checksum
        return found

    def _pod(self, name: str) -> dict[str, Any]:
        names = [f"volume-{volume}" for volume in range(self.volumes)]
        command = ["python3.11", "-c", _PROGRAM, str(VOLUME_MEGABYTES), *names]
        mounts = [{"name": name, "mountPath": f"/data/{name}"} for name in names]
        main = {"name": "main", "image": self._image, "command": command, "volumeMounts": mounts}
        spec = {
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "containers": [main | {"securityContext": {"runAsUser": 0}}],
            "volumes": [{"name": name, "emptyDir": {}} for name in names],
        }
        head = {"name": name, "namespace": self.namespace}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": spec}

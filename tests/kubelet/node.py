"""One node: a kubelet with its containerd, named after an address that it alone listens on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until
from tests.kubelet import machine
from tests.kubelet.containerd import Containerd
from tests.realserver.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.kubelet.containerd import PodNetwork
    from tests.kubelet.controlplane import ControlPlane

_INIT = Path(__file__).with_name("init.py")
_HIDDEN = ("/run", "/var/lib", "/var/log")
# As the kubelet wants them; else it would change the machine's.
_SETTINGS = {
    "/proc/sys/vm/overcommit_memory": 1,
    "/proc/sys/kernel/panic": 10,
    "/proc/sys/kernel/panic_on_oops": 1,
}


class Node:
    """Starts with `start`; ends with `close`, and takes all its containers along.

    `name` is an address of this machine: a Pod on the host's network has it as its own.
    """

    def __init__(
        self,
        plane: ControlPlane,
        folder: Path,
        name: str,
        system: Path,
        network: PodNetwork | None = None,
    ) -> None:
        folder.mkdir()
        self.name = name
        self._plane = plane
        self._folder = folder
        self._system = system
        self._cgroup = folder.parent.name + "-" + folder.name
        self._health = free_port()
        self.containerd = Containerd(folder, system, network)
        self._process: Process | None = None

    def start(self, images: Sequence[Path]) -> None:
        """Returns when the API server calls the node Ready, and the images are there."""
        machine.make_cgroup(self._cgroup)
        (self._folder / "kubelet.json").write_text(json.dumps(self._configuration()))
        (self._folder / "kubeconfig").write_text(self._plane.kubelet_config(self.name))
        plan = self._folder / "plan.json"
        plan.write_text(json.dumps(self._plan()))
        command = [sys.executable, "-I", "-S", str(_INIT), str(plan)]
        self._process = Process(command, self._folder / "init.log")
        self.containerd.wait()
        for image in images:
            self.containerd.load(image)
        self.start_kubelet()
        self._wait(self._is_ready, "is Ready")

    def close(self) -> None:
        """Ends all that runs on it. Idempotent."""
        if self._process is not None:
            self._process.end()
            self._process = None
        machine.remove_cgroup(self._cgroup)

    def start_kubelet(self) -> None:
        self._send(signal.SIGUSR2)
        self._wait(self._answers, "answers")

    def stop_kubelet(self) -> None:
        """The containers run on, and nobody looks after them."""
        self._send(signal.SIGUSR1)
        self._wait(lambda: not self._answers(), "ends")

    def pids(self, container_id: str) -> list[int]:
        """The processes of a container (`containerd://ID`) as this machine numbers them."""
        bare = container_id.removeprefix("containerd://")
        return [
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/cgroup")
            if bare in _text(path)
        ]

    def kill(self, container_id: str) -> None:
        """`kill -9` of all processes of a container; its first one takes the others along."""
        for pid in self.pids(container_id):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.is_running(), self._process.last_words()
        self._process.send(number)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((self.name, self._health)) == 0

    def _is_ready(self) -> bool:
        answer = self._plane.api.get(f"/api/v1/nodes/{self.name}")
        conditions = answer.json["status"]["conditions"] if answer.status == 200 else []
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def _wait(self, look: Callable[[], bool], what: str) -> None:
        try:
            until(look, f"the kubelet of {self.name} {what}")
        except AssertionError as error:
            said = (self._folder / "kubelet.log").read_text(errors="replace")[-3000:]
            raise AssertionError(f"{error}\n{said}") from None

    def _plan(self) -> dict[str, Any]:
        libraries = [str(path.parent) for path in self._system.rglob("libseccomp.so.2")]
        programs = [str(self._system / "usr" / part) for part in ("bin", "sbin")]
        path = ":".join([*programs, "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
        return {
            "folder": str(self._folder),
            "hidden": _HIDDEN,
            "settings": _SETTINGS,
            "environment": {"PATH": path, "LD_LIBRARY_PATH": ":".join(libraries)},
            "containerd": self.containerd.command,
            "kubelet": [
                str(self._plane.programs / "kubelet"),
                f"--config={self._folder / 'kubelet.json'}",
                f"--kubeconfig={self._folder / 'kubeconfig'}",
                f"--root-dir={self._folder / 'kubelet'}",
                f"--hostname-override={self.name}",
            ],
        }

    def _configuration(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.name,
            "port": free_port(),
            "healthzBindAddress": self.name,
            "healthzPort": self._health,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(self._plane.kubelet_client.certificate)},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{self.containerd.socket}",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self._cgroup}",
            "failCgroupV1": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "makeIPTablesUtilChains": False,
            "localStorageCapacityIsolation": False,
            "evictionHard": {"memory.available": "100Mi"},
            "imageGCHighThresholdPercent": 100,
            "podLogsDir": str(self._folder / "pods"),
            "volumePluginDir": str(self._folder / "plugins"),
            "resolvConf": "",
        }


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process ended while we looked
        return ""

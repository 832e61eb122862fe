"""The whole of it: one node, S3, the coordinator as its manifests install it, and a real Velero."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from coordinator.core.movers import kind_of
from coordinator.install import Options
from coordinator.install.limits import config_map
from coordinator.velero.install import POLICY
from tests.e2e.processes import SCRIPTS
from tests.e2e.waiting import until
from tests.e2e.wire import Http, NoAnswer
from tests.kubelet import packages
from tests.kubelet.containerd import PodNetwork
from tests.kubelet.controlplane import ControlPlane
from tests.kubelet.kubectl import Kubectl
from tests.kubelet.node import Node
from tests.kubelet.programs import KUBERNETES
from tests.kubelet.slots import holder_of, is_held_slot
from tests.tools import debian
from tests.velero import images, injected, network
from tests.velero.injected import URL
from tests.velero.movers import Movers
from tests.velero.runtime import RuntimeJournal
from tests.velero.services import Services
from tests.velero.storage import Storage
from tests.velero.velero import NAMESPACE, Velero
from tests.velero.workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.e2e.wire import Answer
    from tests.realserver.binaries import Binaries

NODE = network.NODE
COORDINATOR = "deployment/node-slots-coordinator"
_LONG = 600
"""Characters of a line that are shown."""
SELECTOR = "app.kubernetes.io/name=node-slots"


class Site:
    """Runs from entering to leaving; coordinator and Velero are ready then, with one slot."""

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        self._folder = folder
        self._archives = images.pack_all(folder)
        system = debian.unpacked(packages.RUNTIME)
        plugins = debian.unpacked(packages.NETWORK) / "usr" / "lib" / "cni"
        self.storage = Storage(folder)
        self.plane = ControlPlane(binaries, KUBERNETES.folder, folder, [NODE])
        pods = PodNetwork(plugins, network.PODS)
        self.node = Node(self.plane, folder / "node", NODE, system, pods)
        self.runtime = RuntimeJournal(self.node.containerd, folder)
        self._ends = ExitStack()
        self._workloads: list[str] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(network.isolate())
            stack.enter_context(self.storage)
            stack.enter_context(self.plane)
            stack.enter_context(Services(self.plane.server, self._folder))
            stack.callback(self.node.close)
            self.node.start(self._archives)
            stack.enter_context(self.runtime)
            self._install()
            self._ends = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def kubectl(self) -> Kubectl:
        """In Velero's namespace."""
        program = self.plane.programs / "kubectl"
        return Kubectl(program, self.plane.server.kubeconfig, NAMESPACE)

    @property
    def velero(self) -> Velero:
        return Velero(self.kubectl, self.plane.server.kubeconfig)

    def workload(self, name: str, pods: int, volumes: int) -> Workload:
        """What a test backs up, running in the namespace `name`."""
        made = self.restored(name, pods, volumes)
        made.start()
        return made

    def restored(self, name: str, pods: int, volumes: int) -> Workload:
        """The same where a restore will make it."""
        self._workloads.append(name)
        return Workload(self.plane, name, images.PROJECT, pods, volumes)

    def limit(self, number: int) -> None:
        """Edits the ConfigMap: so many slots on the node."""
        text = json.dumps({"loadConcurrency": {"globalConfig": number}})
        self.kubectl.apply(config_map(Options(namespace=NAMESPACE), {"limits.json": text}))

    def told_limit(self) -> int:
        """The node's limit as the coordinator has it."""
        return int(self.ask(f"/v1/namespaces/{NAMESPACE}/nodes/{NODE}")["limit"])

    def ask(self, path: str) -> Any:
        """What the coordinator's API says to the cluster's administrator."""
        return self._call(path).json

    def _call(self, path: str) -> Answer:
        """Waits while a new replica stands for election, or is no endpoint yet."""
        found = until(lambda: self._answer(path), f"a coordinator answers {path}", between=0.2)
        assert found is not None, "until returned it"
        return found

    def _answer(self, path: str) -> Answer | None:
        authority = self._folder / "node-slots-ca.crt"
        if not authority.exists():
            authority.write_text(self.kubectl.get("configmap", "node-slots-ca")["data"]["ca.crt"])
        try:
            answer = Http(URL, self.plane.server.token, authority).get(path)
        except NoAnswer:
            return None
        assert answer.status in (200, 503), answer.raw
        return answer if answer.status == 200 else None

    def slots(self) -> dict[str, tuple[str, str]]:
        """Holder and fencing token of each slot that has a holder, by the name of its Lease."""
        leases = [one for one in self.kubectl.get("leases")["items"] if is_held_slot(one)]
        return {one["metadata"]["name"]: holder_of(one) for one in leases}

    def holders(self) -> list[str]:
        """Who has a slot."""
        return [holder for holder, _ in self.slots().values()]

    def told_movers(self) -> dict[str, Any]:
        """What the coordinator says of the movers in Velero's namespace."""
        found: dict[str, Any] = self.ask(f"/v1/namespaces/{NAMESPACE}")["movers"]
        return found

    def metrics(self) -> list[str]:
        """The lines of its metrics."""
        return self._call("/metrics").text.splitlines()

    def events(self, reason: str) -> list[Any]:
        """The Events of this reason in Velero's namespace."""
        found: list[Any] = self.kubectl.get("events", f"--field-selector=reason={reason}")["items"]
        return found

    def program(self, *words: str) -> str:
        """What `slot-coordinator` prints to the cluster's administrator."""
        kubeconfig = f"--kubeconfig={self.plane.server.kubeconfig}"
        command = [str(SCRIPTS / "slot-coordinator"), *words, kubeconfig]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def coordinators(self) -> list[str]:
        """Names of the coordinator's Pods that exist."""
        pods = self.kubectl.get("pods", f"--selector={SELECTOR}")["items"]
        return [str(pod["metadata"]["name"]) for pod in pods]

    def delete(self, objects: Sequence[Any]) -> None:
        """Takes these objects away."""
        whole = {"apiVersion": "v1", "kind": "List", "items": objects}
        self.kubectl("delete", "--ignore-not-found", "-f", "-", text=json.dumps(whole))

    def movers(self, kind: str, owner: str) -> Movers:
        """Of one backup or restore."""
        return Movers(self, kind, owner)

    def clear(self) -> None:
        """Takes the workloads away. Returns when no mover is left and nobody holds a slot."""
        for namespace in self._workloads:
            self.kubectl("delete", "namespace", namespace, "--wait=false")
        self._workloads.clear()
        until(lambda: not self.mover_pods(), "all movers are gone", between=0.2)
        until(lambda: not self.holders(), "every slot is free", between=0.2)

    def mover_pods(self) -> list[str]:
        """Names of all that exist."""
        pods = self.kubectl.get("pods")["items"]
        return [str(pod["metadata"]["name"]) for pod in pods if kind_of(pod["metadata"]["labels"])]

    def election(self) -> str:
        """Who leads: another one after each change, also where it is the same Pod. "" is nobody."""
        lease = self.kubectl.get("lease", "node-slots-coordinator")
        return str(lease["spec"].get("holderIdentity") or "")

    def leader(self) -> str:
        """The name of the coordinator's Pod that leads."""
        return self.election().partition("_")[0]

    def kill_leader(self) -> None:
        """`kill -9` of its program, on its node."""
        self.kill(self.kubectl.container(self.leader(), "coordinator"))

    def kill(self, container_id: str) -> None:
        """`kill -9` of all processes of a container."""
        self.node.kill(container_id)

    def words(self) -> str:
        """How everything is and what the programs said last, for an error message."""
        asked = (
            ("get", "pods", "--all-namespaces", "--output=wide"),
            ("get", "podvolumebackups,podvolumerestores,backups,restores", "--output=wide"),
            ("get", "leases"),
            ("logs", f"--selector={SELECTOR}", "--prefix", "--tail=8"),
            ("logs", "deployment/velero", "--container=velero", "--tail=8"),
            ("logs", "daemonset/node-agent", "--tail=8"),
        )
        said = "\n".join(self.kubectl.outcome(*words)[1] for words in asked)
        return "\n".join(line[:_LONG] for line in said.splitlines())

    def _install(self) -> None:
        self.plane.add_namespace(NAMESPACE)
        self.limit(1)
        self.kubectl.apply(*injected.installed(POLICY))
        try:
            self.velero.install(self.storage, self._folder / "node" / "kubelet")
            self.wait_governing()
        except Exception as error:
            raise AssertionError(f"{error}\n{self.words()}") from error

    def wait_governing(self) -> None:
        """Until both coordinators are there, and a mover would get its sidecar."""
        self.kubectl.wait_rolled_out(COORDINATOR)
        until(lambda: injected.governs(self.kubectl), "the sidecar is injected", between=0.2)

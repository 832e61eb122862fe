"""The whole of it: two nodes, and the coordinator installed as `install --print` would."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from coordinator.install import Options, objects
from tests.e2e.waiting import until
from tests.kubelet import images, packages
from tests.kubelet.controlplane import ControlPlane
from tests.kubelet.kubectl import Kubectl
from tests.kubelet.loads import Place
from tests.kubelet.node import Node
from tests.kubelet.programs import KUBERNETES
from tests.kubelet.slots import holder_of, is_held_slot
from tests.realserver.process import free_port
from tests.tools import debian

if TYPE_CHECKING:
    from pathlib import Path

    from tests.realserver.binaries import Binaries

NAMESPACE = "velero"
FIRST, SECOND = "127.0.77.1", "127.0.77.2"
"""The nodes: loopback addresses that hardly anybody else listens on."""
CONFIG = "node-slots"
DEPLOYMENT = "deployment/node-slots-coordinator"
SELECTOR = "app.kubernetes.io/name=node-slots"
OTHERS = "app.kubernetes.io/name!=node-slots"


class Site:
    """Runs from entering to leaving; the coordinator is ready then."""

    def __init__(self, binaries: Binaries, folder: Path) -> None:
        self._folder = folder
        self._port, self._health = free_port(), free_port()
        self.plane = ControlPlane(binaries, KUBERNETES.folder, folder, [FIRST, SECOND])
        self.nodes: dict[str, Node] = {}
        self._ends = ExitStack()
        self._places = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            archives = images.pack_all(self._folder)
            stack.enter_context(self.plane)
            system = debian.unpacked(packages.RUNTIME)
            for number, name in enumerate((FIRST, SECOND), 1):
                node = Node(self.plane, self._folder / f"node{number}", name, system)
                stack.callback(node.close)
                node.start(archives)
                self.nodes[name] = node
            self._install()
            self._ends = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def kubectl(self) -> Kubectl:
        program = self.plane.programs / "kubectl"
        return Kubectl(program, self.plane.server.kubeconfig, NAMESPACE)

    def place(self) -> Place:
        """A folder for the journal of one test's loads."""
        self._places += 1
        return Place(self._folder / f"place{self._places}", [FIRST, SECOND], self._port)

    def limit(self, first: int, second: int = 1) -> None:
        """Edits the ConfigMap: so many slots on each node."""
        rules = [
            {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": node}}, "number": number}
            for node, number in ((FIRST, first), (SECOND, second))
        ]
        text = json.dumps({"loadConcurrency": {"globalConfig": 1, "perNodeConfig": rules}})
        head = {"name": CONFIG, "namespace": NAMESPACE}
        self.kubectl.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": {"limits": text}}
        )

    def slots(self) -> dict[str, tuple[str, str]]:
        """Holder and fencing token of each slot that has a holder, by the name of its Lease."""
        leases = [one for one in self.kubectl.get("leases")["items"] if is_held_slot(one)]
        return {one["metadata"]["name"]: holder_of(one) for one in leases}

    def slot(self, node: str) -> tuple[str, str]:
        """The same of a node with one holder."""
        (found,) = (held for name, held in self.slots().items() if name.startswith(node))
        return found

    def holders(self, node: str = "") -> list[str]:
        """Who has a slot, on that node or on both."""
        return [held for name, (held, _) in self.slots().items() if name.startswith(node)]

    def coordinators(self) -> list[Any]:
        """The coordinator's Pods that are ready."""
        pods = self.kubectl.get("pods", f"--selector={SELECTOR}")["items"]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and _ready(pod)]

    def clear(self) -> None:
        """Takes away the loads of a test, in peace."""
        self.kubectl("delete", "jobs,daemonsets,pods", f"--selector={OTHERS}", "--wait=true")

    def pods_of(self, job: str) -> dict[str, Any]:
        """The Job's Pods by name."""
        pods = self.kubectl.get("pods", f"--selector=job-name={job}")["items"]
        return {pod["metadata"]["name"]: pod for pod in pods}

    def printed_status(self, job: str) -> dict[str, str]:
        """The column STATUS of `kubectl get pods`, by Pod."""
        return self.kubectl.printed_status(f"--selector=job-name={job}")

    def wait_complete(self, job: str) -> None:
        self.kubectl.wait("condition=Complete", f"job/{job}")

    def wait_succeeded(self, pod: str) -> None:
        self.kubectl.wait("jsonpath={.status.phase}=Succeeded", f"pod/{pod}")

    def wait_waiting(self, pod: str) -> None:
        """Until that Pod's sidecar has a place in the queue."""
        until(lambda: "position" in "".join(self.hold_log(pod)), f"{pod} waits for a slot")

    def hold_log(self, pod: str) -> list[str]:
        """What `kubectl logs POD -c hold` prints; nothing before the container runs."""
        return self.kubectl.outcome("logs", pod, "--container=hold")[1].splitlines()

    def hold_status(self, pod: str) -> str:
        """What the sidecar says of itself when an operator asks."""
        words = ("exec", pod, "--container=hold", "--", "slot-agent", "hold", "--status")
        return self.kubectl.outcome(*words)[1]

    def leader(self) -> str:
        """The name of the Pod that leads."""
        lease = self.kubectl.get("lease", "node-slots-coordinator")
        return str(lease["spec"].get("holderIdentity") or "").partition("_")[0]

    def _install(self) -> None:
        self.plane.add_namespace(NAMESPACE)
        self.limit(1)
        made = objects(Options(namespace=NAMESPACE, image=images.IMAGE))
        self.kubectl.apply(*map(self._here, made))
        self._wait_ready()

    def _wait_ready(self) -> None:
        try:
            until(lambda: len(self.coordinators()) == 2, "both replicas are ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.words()}") from None

    def words(self) -> str:
        """How the Pods are and what the coordinators said last, for an error message."""
        asked = (
            ("get", "pods", "--output=wide"),
            ("get", "leases"),
            ("logs", f"--selector={SELECTOR}", "--prefix", "--tail=15"),
        )
        return "\n".join(self.kubectl.outcome(*words)[1] for words in asked)

    def _here(self, one: dict[str, Any]) -> dict[str, Any]:
        """The tier has neither Services nor a Pod network: its replicas are on the host's."""
        if one["kind"] != "Deployment":
            return one
        # Their ports are the node's, so a new one comes only when an old one has gone.
        one["spec"]["strategy"]["rollingUpdate"] = {"maxUnavailable": 1, "maxSurge": 0}
        spec = one["spec"]["template"]["spec"]
        spec |= {"hostNetwork": True}
        (container,) = spec["containers"]
        container["imagePullPolicy"] = "Never"
        container["args"] = [_own_address(flag) for flag in container["args"]]
        container["args"] += [f"--listen-port={self._port}", f"--health-port={self._health}"]
        https, health = container["ports"]
        https["containerPort"], health["containerPort"] = self._port, self._health
        host, _, port = self.plane.server.url.removeprefix("https://").partition(":")
        container["env"] += [
            {"name": "KUBERNETES_SERVICE_HOST", "value": host},
            {"name": "KUBERNETES_SERVICE_PORT", "value": port},
        ]
        return one


def _own_address(flag: str) -> str:
    """Each replica at its node's address only: both are on one machine."""
    return flag.replace("-address=all", "-address=$(POD_IP)")


def _ready(pod: Any) -> bool:
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

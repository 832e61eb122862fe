"""Velero by its own command line, unmodified, and what its objects say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until
from tests.kubelet.kubectl import Kubectl
from tests.velero import images, storage
from tests.velero.programs import VELERO

if TYPE_CHECKING:
    from pathlib import Path

    from tests.velero.storage import Storage

NAMESPACE = "velero"
CONFIG = "node-agent-config"
"""The ConfigMap of Velero's own limit."""
PREPARE_TIMEOUT = "12h"
SERVER, NODE_AGENT = "deployment/velero", "daemonset/node-agent"
OUT_OF_THE_WAY = {"loadConcurrency": {"globalConfig": 1000}}
BACKUP, RESTORE = "podvolumebackups", "podvolumerestores"
_LABELS = {BACKUP: "velero.io/backup-name", RESTORE: "velero.io/restore-name"}
PATIENCE = 240.0
"""Seconds for a whole backup or restore; on two busy cores each mover takes some."""
_PHASE = "{.status.phase}"


class Velero:
    """The program `velero`, as whoever installed it runs it."""

    def __init__(self, kubectl: Kubectl, kubeconfig: Path) -> None:
        self._kubectl = kubectl
        self.cli = Kubectl(VELERO.folder / "velero", kubeconfig, NAMESPACE, PATIENCE)

    def install(self, s3: Storage, kubelet: Path) -> None:
        """As its users do; `kubelet` is that program's folder. Returns when it can back up."""
        self.own_limit(OUT_OF_THE_WAY)
        self.cli(
            "install",
            "--provider=aws",
            f"--plugins={images.PLUGIN}",
            f"--bucket={storage.BUCKET}",
            f"--secret-file={s3.credentials}",
            f"--backup-location-config={storage.LOCATION}",
            "--use-volume-snapshots=false",
            "--use-node-agent",
            "--default-volumes-to-fs-backup",
            "--item-block-worker-count=4",
            f"--node-agent-configmap={CONFIG}",
            f"--kubelet-root-dir={kubelet}",
        )
        flag = f"--data-mover-prepare-timeout={PREPARE_TIMEOUT}"
        place = "/spec/template/spec/containers/0/args/-"
        change = json.dumps([{"op": "add", "path": place, "value": flag}])
        self._kubectl("patch", NODE_AGENT, "--type=json", f"--patch={change}")
        for one in (SERVER, NODE_AGENT):
            self._kubectl.wait_rolled_out(one)
        # It looks once a minute: the first look may be too early.
        until(self._is_available, "Velero takes the S3 server as its storage", PATIENCE, 0.5)

    def restart_node_agent(self) -> None:
        """Returns when its next Pod is ready."""
        self._restart(NODE_AGENT)

    def restart_server(self) -> None:
        """The same; backups that were under way have failed then."""
        self._restart(SERVER)

    def _restart(self, what: str) -> None:
        self._kubectl("rollout", "restart", what)
        self._kubectl.wait_rolled_out(what)

    def cancel(self, kind: str, name: str) -> None:
        """Sets `spec.cancel` of a custom resource, which is how Velero's own cancelling begins."""
        change = json.dumps({"spec": {"cancel": True}})
        self._kubectl("patch", kind, name, "--type=merge", f"--patch={change}")

    def own_limit(self, config: Any) -> None:
        """Writes the ConfigMap that the node-agent reads at its start."""
        head = {"name": CONFIG, "namespace": NAMESPACE}
        data = {"config.json": json.dumps(config)}
        self._kubectl.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": data}
        )

    def back_up(self, name: str, namespace: str) -> None:
        """Asks for a backup of that namespace, and does not wait."""
        self.cli("backup", "create", name, f"--include-namespaces={namespace}")

    def restore(self, name: str, backup: str, namespace: str, into: str) -> None:
        """Asks for a restore of that namespace under another name, and does not wait."""
        mapping = f"--namespace-mappings={namespace}:{into}"
        self.cli("restore", "create", name, f"--from-backup={backup}", mapping)

    def wait(self, kind: str, name: str) -> str:
        """The last phase of a `backup` or a `restore`."""
        return until(
            lambda: phase if (phase := self.phase(kind, name)) not in _UNFINISHED else "",
            f"{kind} {name} ends",
            seconds=PATIENCE,
            between=0.5,
        )

    def phase(self, kind: str, name: str) -> str:
        """Of a Backup or a Restore; "" before it has one."""
        return self._kubectl("get", f"{kind}s.velero.io", name, f"--output=jsonpath={_PHASE}")

    def volumes(self, kind: str, owner: str) -> dict[str, Any]:
        """The PodVolumeBackups of a backup, or PodVolumeRestores of a restore, by name."""
        found = self._kubectl.get(kind, f"--selector={_LABELS[kind]}={owner}")["items"]
        return {one["metadata"]["name"]: one for one in found}

    def phases(self, kind: str, owner: str) -> dict[str, str]:
        """The phase of each of them."""
        found = self.volumes(kind, owner)
        return {name: one.get("status", {}).get("phase", "") for name, one in found.items()}

    def _is_available(self) -> bool:
        words = ("get", "backupstoragelocation", "default", f"--output=jsonpath={_PHASE}")
        return self._kubectl.outcome(*words)[1] == "Available"


_UNFINISHED = {
    *("", "New", "Queued", "ReadyToStart", "InProgress"),
    *("WaitingForPluginOperations", "WaitingForPluginOperationsPartiallyFailed"),
    *("Finalizing", "FinalizingPartiallyFailed"),
}

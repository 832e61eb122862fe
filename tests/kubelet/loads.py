"""The objects of deploy/examples, with a load that journals itself (tests/e2e/load.py)."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.e2e import load
from tests.e2e.journal import Journal
from tests.kubelet.images import IMAGE

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "deploy" / "examples"
CLIENT = REPOSITORY / "docs" / "examples" / "sidecar" / "python"
PYTHON = "/usr/bin/python3.11"
_SERVICE = "node-slots.velero.svc"
_JOURNAL = "journal"
_INSIDE = f"/{_JOURNAL}"
"""Where a container has the journal's folder."""
_LOAD = [PYTHON, f"{_INSIDE}/load.py", _INSIDE, "0", "0"]
_FOR_EVER = "import subprocess, sys, threading as t; subprocess.run(sys.argv[1:]); t.Event().wait()"
"""A node-agent does its work, and never ends."""


class Place:
    """Where loads write their journal, and how their Pods find the coordinator from here."""

    def __init__(self, folder: Path, replicas: list[str], port: int) -> None:
        folder.mkdir()
        folder.chmod(0o777)  # the loads run as another user
        shutil.copyfile(str(load.__file__), folder / "load.py")
        self.folder = folder
        self.journal = Journal(folder)
        self._aliases = [{"ip": address, "hostnames": [_SERVICE]} for address in replicas]
        self._url = f"https://{_SERVICE}:{port}"

    def job(self, name: str, node: str, pods: int) -> dict[str, Any]:
        """deploy/examples/job.yaml with this many Pods, all at once on one node."""
        whole = _example("job", name)
        whole["spec"] |= {"completions": pods, "parallelism": pods}
        template = whole["spec"]["template"]
        template["spec"] = self._here(template["spec"]) | {"nodeName": node}
        return whole

    def pod(self, name: str, node: str, *flags: str) -> dict[str, Any]:
        """deploy/examples/pod.yaml on that node, with more flags for `slot-agent hold`."""
        whole = _example("pod", name)
        # A grace that only a load uses up which does not hear of its end.
        grace = {"terminationGracePeriodSeconds": 60}
        whole["spec"] = self._here(whole["spec"]) | {"nodeName": node} | grace
        (hold,) = whole["spec"]["initContainers"]
        hold["command"] += flags
        return whole

    def daemonset(self, name: str, node: str, *loads: str) -> dict[str, Any]:
        """deploy/examples/daemonset.yaml on one node, with a node-agent that has these loads."""
        for program in ("slots.py", "worker.py"):
            shutil.copyfile(CLIENT / program, self.folder / program)
        whole = _example("daemonset", name)
        spec = self._here(whole["spec"]["template"]["spec"])
        whole["spec"]["template"]["spec"] = spec
        spec["nodeSelector"] = {"kubernetes.io/hostname": node}
        (main,) = spec["containers"]
        worker = [PYTHON, f"{_INSIDE}/worker.py", "--at-once", str(len(loads)), *loads]
        main["command"] = [PYTHON, "-c", _FOR_EVER, *worker, "--", *_LOAD]
        return whole

    def _here(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The example's Pod on the host's network, without DNS, with our image and load."""
        made = copy.deepcopy(spec)
        made |= {"hostNetwork": True, "hostAliases": self._aliases}
        made["terminationGracePeriodSeconds"] = 5
        for container in (*made["initContainers"], *made["containers"]):
            container |= {"image": IMAGE, "imagePullPolicy": "Never"}
        for variable in made["initContainers"][0]["env"]:
            if variable["name"] == "NODE_SLOTS_URL":
                variable["value"] = self._url
        self._load(made["containers"][0])
        volume = {"name": _JOURNAL, "hostPath": {"path": str(self.folder), "type": "Directory"}}
        made["volumes"] = [*made["volumes"], volume]
        return made

    def _load(self, container: dict[str, Any]) -> None:
        container["command"] = _LOAD
        container["env"] = [
            {"name": "SLOT_LOAD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "SLOT_NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        ]
        mounts = container.setdefault("volumeMounts", [])
        mounts.append({"name": _JOURNAL, "mountPath": _INSIDE})


def _example(kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{kind}.yaml").read_text())
    found["metadata"]["name"] = name
    return found

"""The real kubectl: what an operator would type, with what it prints."""

from __future__ import annotations

import json
import subprocess
from itertools import chain
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    _Done = subprocess.CompletedProcess[str]

PATIENCE = 90.0
"""Seconds for one command."""
_WITHIN = "--timeout=80s"


class Refused(Exception):
    """The program ended with another code than 0; the text is what it said."""


class Kubectl:
    """kubectl as the administrator, in one namespace; or a program that takes the same options."""

    def __init__(
        self, program: Path, kubeconfig: Path, namespace: str, patience: float = PATIENCE
    ) -> None:
        self._name = program.name
        self._patience = patience
        self._command = [str(program), f"--namespace={namespace}"]
        # A home of its own: it keeps a cache there.
        home = str(kubeconfig.parent)
        self._environment = {"KUBECONFIG": str(kubeconfig), "HOME": home, "PATH": "/usr/bin:/bin"}

    def __call__(self, *words: str, text: str | None = None) -> str:
        """What it prints; `text` is its standard input. Raises Refused."""
        done = self._run(words, text)
        if done.returncode != 0:
            raise Refused(f"{self._name} {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def outcome(self, *words: str) -> tuple[int, str]:
        """Its exit code, which may be any, and what it prints."""
        done = self._run(words)
        return done.returncode, done.stdout

    def _run(self, words: tuple[str, ...], text: str | None = None) -> _Done:
        return subprocess.run(
            [*self._command, *words],
            input=text,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=self._patience,
        )

    def get(self, *words: str) -> Any:
        """An object, or a list of them."""
        return json.loads(self("get", *words, "--output=json"))

    def wait(self, condition: str, *objects: str) -> None:
        """Until each of them (`pod/NAME`) is as `kubectl wait --for` has it. Raises Refused."""
        self("wait", *objects, f"--for={condition}", _WITHIN)

    def wait_rolled_out(self, workload: str) -> None:
        """Until all Pods of a Deployment or DaemonSet are as it says. Raises Refused."""
        self("rollout", "status", workload, _WITHIN)

    def printed_status(self, *which: str) -> dict[str, str]:
        """The column STATUS of `kubectl get pods`, by Pod."""
        rows = map(str.split, self("get", "pods", *which, "--no-headers").splitlines())
        return {name: status for name, _, status, *_ in rows}

    def restarts(self, pod: str, container: str) -> int:
        """How often that container was started again."""
        (found,) = (one for one in _told(self.get("pod", pod)) if one["name"] == container)
        return int(found["restartCount"])

    def container(self, pod: str, name: str) -> str:
        """The id of that container of a Pod. Waits for it: the kubelet tells it after its start."""
        told = f"the kubelet tells that {name} of {pod} runs"
        return until(lambda: running(self.get("pod", pod)).get(name, ""), told)

    def apply(self, *objects: Any) -> None:
        """Makes these objects so, with every field checked, whoever wrote them last."""
        whole = {"apiVersion": "v1", "kind": "List", "items": objects}
        flags = ("--server-side", "--force-conflicts", "--validate=strict")
        self("apply", *flags, "-f", "-", text=json.dumps(whole))


def running(pod: Any) -> dict[str, str]:
    """The ids of the containers that run, by name, as far as the kubelet has told."""
    return {one["name"]: one["containerID"] for one in _told(pod) if "running" in one["state"]}


def _told(pod: Any) -> Iterator[Any]:
    parts = ("initContainerStatuses", "containerStatuses")
    return chain.from_iterable(pod["status"].get(part, ()) for part in parts)

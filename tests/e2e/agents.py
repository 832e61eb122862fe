"""The agents of a test as a kubelet would run them: Pods on nodes, with what is mounted in them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from tests.e2e import tokens
from tests.e2e.cluster import AGENTS
from tests.e2e.wire import Http

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.cluster import Cluster


@dataclass(frozen=True)
class AgentPod:
    """A Pod of an agent. `token_file` is what its projected volume shows."""

    namespace: str
    name: str
    uid: str
    token_file: Path

    @property
    def token(self) -> str:
        return self.token_file.read_text()

    @property
    def reference(self) -> dict[str, str]:
        """As a claim names it."""
        return {"namespace": self.namespace, "name": self.name, "uid": self.uid}


class Agents:
    """The Pods of agents, each made when it is first needed, and their tokens."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._pods: dict[tuple[str, str], AgentPod] = {}
        self._making = Lock()

    def on(self, node: str, name: str = "") -> AgentPod:
        """The Pod of that name on the node; without one, the node's own agent."""
        name = name or f"agent-{node}"
        with self._making:
            if (node, name) not in self._pods:
                self._pods[node, name] = self.adopt(self._cluster.add_pod(node, name))
            return self._pods[node, name]

    def adopt(self, pod: Mapping[str, str]) -> AgentPod:
        """A Pod that a test has made itself, with its first token."""
        file = self._folder / f"token-of-{pod['namespace']}-{pod['name']}"
        agent = AgentPod(pod["namespace"], pod["name"], pod["uid"], file)
        self.rotate(agent)
        return agent

    def rotate(self, pod: AgentPod) -> None:
        """A new token in the file, as the kubelet puts it there: whole, at once."""
        bound = (pod.name, pod.uid)
        made = tokens.token(
            self._cluster.api, pod.namespace, AGENTS, pod=bound, audience=tokens.AUDIENCE
        )
        _replace(pod.token_file, made)

    def rotate_all(self) -> None:
        """Every node's agent gets a new one."""
        for pod in list(self._pods.values()):
            self.rotate(pod)


class AuthorityMount:
    """The ConfigMap with the coordinator's authority, as a Pod sees it: a file."""

    def __init__(self, cluster: Cluster, config_map: str, file: Path) -> None:
        self._cluster = cluster
        self._config_map = config_map
        self.file = file
        """Not there as long as the ConfigMap is empty."""
        self._given = False

    def sync(self) -> bool:
        """Whether the file is there; its text is the ConfigMap's of now, or what was given."""
        if self._given:
            return True
        space = f"/api/v1/namespaces/{self._cluster.namespace}"
        answer = self._cluster.api.get(f"{space}/configmaps/{self._config_map}")
        text = (answer.json.get("data") or {}).get("ca.crt", "")
        if text and not (self.file.exists() and self.file.read_text() == text):
            _replace(self.file, text)
        return bool(text)

    def give(self, text: str) -> None:
        """Another authority than the coordinator's own, as with `--tls mounted`."""
        _replace(self.file, text)
        self._given = True

    def person(self, url: str, token: str = "") -> Http:
        """The coordinator there, asked with a token of somebody's; else the admin's."""
        return Http(url, token or self._cluster.server.token, self.file)


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f"{file.name}.{uuid.uuid4().hex}")  # several threads may do it at once
    new.write_text(text)
    new.replace(file)

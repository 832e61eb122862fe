"""The programs themselves, as an operator starts them; every one ends with its test.

The coordinator has the manifests' rights and flags, agents the tokens of Pods on their nodes. Each
runs on a leash (`tests/realserver/leash.py`), so that not even a killed test run leaves one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.agents import Agents, AuthorityMount
from tests.e2e.cluster import CONFIG
from tests.e2e.installation import Installation
from tests.e2e.journal import Journal
from tests.e2e.waiting import DEADLINE, until
from tests.e2e.wire import Answer, Http, NoAnswer
from tests.realserver.process import Process, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.e2e.cluster import Cluster

LOAD = Path(__file__).with_name("load.py")
LOOPBACK = "127.0.0.1"
STOP = 30.0
"""Seconds for an end by a signal: a grace of 4 s, on a machine where everything takes its time."""
SCRIPTS = Path(sysconfig.get_path("scripts"))


class Program(Process):
    """A program with an environment of its own. Its exit code is 128 + N when signal N ended it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        pairs = [f"{name}={value}" for name, value in (kept | dict(environment)).items()]
        super().__init__([str(shutil.which("env")), "-i", *pairs, *command], log)
        self.name = Path(command[0]).name
        self.log = log

    def exit_code(self, seconds: float = DEADLINE) -> int:
        """Waits for the end. Fails the case when it does not come in time."""
        try:
            return self._leash.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} runs on after {seconds:g} s: {self.output}"
            ) from None

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_said(self, words: str, seconds: float = DEADLINE) -> None:
        until(lambda: words in self.output, f"{self.name} says {words!r}: {self.output}", seconds)


class Coordinator(Program):
    """`slot-coordinator serve`. A successor takes over the ports: agents know one URL.

    `api` is what a person with every right sees.
    """

    def __init__(
        self, command: Sequence[str], ports: tuple[int, int], log: Path, mount: AuthorityMount
    ) -> None:
        listen, health = ports
        flags = ["--listen-address", LOOPBACK, "--health-address", LOOPBACK, "--tls-name", LOOPBACK]
        flags += ["--listen-port", str(listen), "--health-port", str(health)]
        flags += ["--log-level", "debug"]
        super().__init__([str(SCRIPTS / "slot-coordinator"), "serve", *command, *flags], {}, log)
        self._mount = mount
        self.api = mount.person(f"https://{LOOPBACK}:{listen}")
        self.health = Http(f"http://{LOOPBACK}:{health}")

    def logged(self, event: str) -> list[Any]:
        """The log's lines of one event."""
        written = self.output.rpartition("\n")[0].splitlines()  # the last line may be half there
        lines = [json.loads(line) for line in written if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait_alive(self) -> None:
        """It answers the kubelet; whatever else it waits for."""
        until(lambda: self._is_up() and self._lives(), f"alive: {self.output}")

    def _lives(self) -> bool:
        return self._healthy("/livez")

    def _healthy(self, path: str) -> bool:
        try:
            return self.health.get(path).status == 200
        except NoAnswer:
            return False

    def wait_listening(self) -> None:
        until(lambda: self._is_up() and self.logged("listening"), f"listening: {self.output}")
        until(lambda: self._is_up() and self._mount.sync(), f"a certificate: {self.output}")

    def wait_ready(self) -> None:
        self.wait_listening()
        until(lambda: self._is_up() and self._healthy("/readyz"), f"ready: {self.output}")
        until(lambda: self._is_up() and self._answers(), f"led: {self.output}")

    def _answers(self) -> bool:
        """Whether a leader with a whole picture answers. Until then there may be a problem: to be
        ready takes fewer rights than to know who asks, and a follower may know no leader yet.
        """
        try:
            answer = self.api.get("/v1/status")
        except NoAnswer:
            return False
        status = answer.json if answer.status == 200 else {}
        return all(status.get(key) for key in ("leader", "pools", "ready"))

    def _is_up(self) -> bool:
        assert self.is_running(), f"the coordinator ended: {self.output}"
        return True

    def metric(self, name: str, **labels: str) -> float:
        """The value of one sample."""
        found = self.samples(name, **labels)
        assert len(found) == 1, (name, labels, found)
        return found[0]

    def samples(self, name: str, **labels: str) -> list[float]:
        """The same; nothing while there is no such sample."""
        told = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        start = f"{name}{{{told}}} "
        lines = self.api.get("/metrics").text.splitlines()
        return [float(line.removeprefix(start)) for line in lines if line.startswith(start)]


class Site:
    """What runs on one cluster in one test: the coordinator, the agents, and their journal.

    `options` are those of the installation.
    """

    def __init__(self, cluster: Cluster, folder: Path, **options: Any) -> None:
        self.cluster = cluster
        self.folder = folder
        self.journal = Journal(folder)
        self.agents = Agents(cluster, folder)
        self.installation = Installation(cluster, **options)
        self.mount = AuthorityMount(cluster, self.installation.authority, folder / "ca.crt")
        self._programs: list[Program] = []
        self._ports = (free_port(), free_port())
        self.coordinator: Coordinator

    @property
    def api(self) -> Http:
        """The coordinator, asked by a person who may do everything."""
        return self.coordinator.api

    def as_agent(self, node: str) -> Http:
        """The same, asked by the node's agent."""
        return Http(self.url, self.agents.on(node).token, self.mount.file)

    def client_settings(self, node: str) -> dict[str, Any]:
        """What the library has to be told in a container of the node's agent."""
        return {
            "namespace": self.cluster.namespace,
            "node": node,
            "token_file": str(self.agents.on(node).token_file),
            "ca_file": str(self.mount.file),
        }

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self._ports[0]}"

    def close(self) -> None:
        for program in reversed(self._programs):
            program.end()

    def serve(
        self, *flags: str, kubeconfig: Path | None = None, config: str | None = CONFIG
    ) -> Coordinator:
        """Starts a coordinator for the namespace; it need not be ready yet."""
        self.installation.apply()
        kubeconfig = kubeconfig or self.installation.kubeconfig(self.folder)
        command = ["--kubeconfig", str(kubeconfig), *self.installation.flags(config), *flags]
        log = self._log("coordinator")
        self.coordinator = Coordinator(command, self._ports, log, self.mount)
        self._programs.append(self.coordinator)
        return self.coordinator

    def start(self, *flags: str) -> Coordinator:
        """Starts a coordinator and waits until it is ready."""
        self.serve(*flags).wait_ready()
        return self.coordinator

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the coordinator by a signal; what comes back is its exit code."""
        self.coordinator.send(number)
        return self.coordinator.exit_code(STOP)

    def agent(
        self,
        load: str,
        node: str,
        *options: str,
        seconds: float = 0.0,
        code: int = 0,
        pod: str = "",
    ) -> Program:
        """`slot-agent run` with a load that ends `seconds` after its gate opened."""
        command = [str(SCRIPTS / "slot-agent"), "run", "--load", load, *options, "--"]
        command += [sys.executable, "-I", "-S", str(LOAD), str(self.folder)]
        command += [str(seconds), str(code)]
        environment = {}
        if pod:
            environment = {"POD_NAMESPACE": self.cluster.namespace, "POD_NAME": pod}
            environment["NODE_SLOTS_TOKEN_FILE"] = str(self.agents.on(node, pod).token_file)
        return self.run(load, node, command, **environment)

    def run(self, name: str, node: str, command: Sequence[str], **environment: str) -> Program:
        """A program that takes slots of a node, in a container of the node's agent; its environment
        says where the coordinator is.
        """
        settings = self.client_settings(node)
        where = {f"NODE_SLOTS_{name.upper()}": value for name, value in settings.items()}
        where |= {"NODE_SLOTS_URL": self.url, "NODE_NAME": where.pop("NODE_SLOTS_NODE")}
        self._programs.append(Program(command, where | environment, self._log(name)))
        return self._programs[-1]

    def _log(self, name: str) -> Path:
        """A file of its own for each start."""
        return self.folder / f"{name}-{len(self._programs)}.log"

    # --- asking the coordinator -------------------------------------------------------------------

    @property
    def pool_path(self) -> str:
        return f"/v1/namespaces/{self.cluster.namespace}"

    def node_path(self, node: str) -> str:
        return f"{self.pool_path}/nodes/{node}"

    def claim_path(self, node: str, claim: str) -> str:
        return f"{self.node_path(node)}/claims/{claim}"

    def ask(self, node: str, claim: str, **body: Any) -> Answer:
        """PUTs a claim as the node's agent; its load is named as the claim where the body names
        none.
        """
        return self.as_agent(node).put(self.claim_path(node, claim), {"load": claim, **body})

    def granted(self, node: str, claim: str, **body: Any) -> Any:
        """The grant of a claim that must get a slot; it waits for it as a client may."""

        def look() -> Any:
            answer = self._tried(node, claim, **body)
            return answer.json if answer is not None and answer.status == 200 else None

        return until(look, f"grant of {claim}")

    def _tried(self, node: str, claim: str, **body: Any) -> Answer | None:
        """What a client that goes on asking gets; None where there is no coordinator."""
        try:
            answer = self.ask(node, claim, waitSeconds=2, **body)
        except NoAnswer:
            return None
        assert answer.status in {200, 202, 503}, answer.raw
        return answer

    def release(self, node: str, claim: str) -> None:
        """DELETEs it until that is certain, as a client has to: 503 while a write takes long."""

        def done() -> bool:
            answer = self.as_agent(node).delete(self.claim_path(node, claim))
            assert answer.status in {204, 503}, answer.raw
            return answer.status == 204

        until(done, f"release of {claim}")

    def node(self, node: str) -> Any:
        """The node's status."""
        answer = self.api.get(self.node_path(node))
        assert answer.status == 200, answer.raw
        return answer.json

    def queue(self, node: str) -> list[str]:
        """The loads that wait, in order, as far as their clients still ask."""
        return [waiting["load"] for waiting in self.node(node)["queue"] if waiting["present"]]

    def wait_queue(self, node: str, *loads: str) -> None:
        until(lambda: self.queue(node) == list(loads), f"queue {loads}: {self.node(node)}")

    def wait_limit(self, node: str, limit: int) -> None:
        until(lambda: self.node(node)["limit"] == limit, f"limit {limit}: {self.node(node)}")

    def config(self) -> Any:
        """The state of the ConfigMap as /v1/status tells it."""
        (pool,) = self.api.get("/v1/status").json["pools"]
        return pool["config"]

"""A pool to look at: an embedded API server, the real coordinator as a process, and agents.

`python -m tests.browser.site --nodes 60 --port 18960` stays up until Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Self

import yaml

from coordinator.embedded import objects, server
from coordinator.embedded.store import Store
from tests.browser.agents import SHORT, Agent, Crowd, pod_of
from tests.browser.background import Background
from tests.browser.plan import CONFIG, HOSTNAME, POOL, Loads, plan
from tests.e2e.processes import LOOPBACK, SCRIPTS
from tests.e2e.waiting import until
from tests.e2e.wire import Http, NoAnswer
from tests.realserver.process import Process, free_port
from tests.realserver.report import say

if TYPE_CHECKING:
    from coordinator.embedded.server import EmbeddedServer
    from tests.browser.plan import Load, NodePlan, Plan
    from tests.e2e.wire import Answer

KEY = "limits.json"
HOLD = "nodeslots.io/hold"
ENDS = {signal.SIGINT, signal.SIGTERM}
_NODES = f"/v1/namespaces/{POOL}/nodes"


class Site(ExitStack):
    """Up once it is entered; leaving it ends everything. `api` is the coordinator, `kube` the
    cluster by an operator's hand.
    """

    def __init__(self, nodes: int, folder: Path, *, port: int = 0, seed: int = 1) -> None:
        super().__init__()
        self.plan: Plan = plan(nodes, seed)
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.api = Http(self.url)
        self.kube: Http
        self._folder = folder
        self._store = Store()
        self._coordinator: Process | None = None
        self._crowd = Crowd(self.url, self._add_pod)
        self._agents: dict[str, Agent] = {}
        self._pods: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        """Starts it all, and lets the loads take their slots."""
        super().__enter__()
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        return self

    def _open(self) -> None:
        self._background = Background()
        self.callback(self._background.close)
        self._fill()
        cluster: EmbeddedServer = self._background.run(server.start(self._store))
        self.callback(lambda: self._background.run(cluster.stop()))
        self.kube = Http(cluster.url)
        self._kubeconfig = self._folder / "kubeconfig"
        self._kubeconfig.write_text(yaml.safe_dump(cluster.kubeconfig()))
        self.callback(self.kill)
        self.start()
        self.callback(lambda: self._background.run(self._crowd.close()))
        self._occupy()
        self._background.go_on(self._crowd.keep())

    def live(self, seconds: float) -> None:
        """From now on a load ends and another one comes every so often."""
        chance = Random(2)
        loads = Loads(chance, first=1000)
        self._background.go_on(self._crowd.churn(loads, chance, seconds))

    @property
    def turns(self) -> int:
        """How many loads have come and gone by that."""
        return self._crowd.turns

    # --- the cluster ------------------------------------------------------------------------------

    def _fill(self) -> None:
        """What there is before the API server serves it; later the store is its thread's."""
        objects.put(self._store, objects.namespace(POOL))
        for node in self.plan.nodes:
            made = objects.node(node.name, node.labels)
            if node.hold:
                made["metadata"]["annotations"] = {HOLD: node.hold}
            objects.put(self._store, made)
            for load in (*node.holding, *node.waiting):
                self._pods[load.claim] = self._add_pod(node.name, load)
        objects.put(self._store, objects.config_map(POOL, CONFIG, {KEY: self.plan.before}))

    def _add_pod(self, node: str, load: Load) -> dict[str, str]:
        """On the API server's thread, or before it is served."""
        head = objects.put(self._store, objects.pod(POOL, pod_of(load), node))["metadata"]
        return {"namespace": POOL, "name": head["name"], "uid": head["uid"]}

    def configure(self, text: str) -> None:
        """Writes the ConfigMap."""
        path = f"/api/v1/namespaces/{POOL}/configmaps/{CONFIG}"
        assert self.kube.merge(path, {"data": {KEY: text}}).status == 200

    def add_node(self, name: str) -> None:
        """A Node joins. A label's value is shorter than a name may be."""
        joined = objects.node(name, {HOSTNAME: name[:63]})
        assert self.kube.post("/api/v1/nodes", joined).status == 201

    def hold(self, node: str, reason: str) -> None:
        """Sets the hold annotation."""
        change = {"metadata": {"annotations": {HOLD: reason}}}
        assert self.kube.merge(f"/api/v1/nodes/{node}", change).status == 200

    def take_lease(self, name: str, holder: str) -> None:
        """Somebody else's Lease under a slot's name."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{POOL}/leases"
        assert self.kube.post(path, objects.lease(POOL, name, holder)).status == 201

    # --- the coordinator --------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the coordinator, and waits until it answers for the pool."""
        command = [str(SCRIPTS / "slot-coordinator"), "serve", "--auth", "none"]
        command += ["--kubeconfig", str(self._kubeconfig), "--namespace", POOL]
        command += ["--node-agent-configmap", CONFIG, "--health-port", "0"]
        command += ["--listen-address", LOOPBACK, "--listen-port", str(self.port)]
        self._coordinator = Process(command, self._folder / "coordinator.log")
        until(self._answers, "the coordinator answers")

    def kill(self) -> None:
        """kill -9; what it knew is gone, what it wrote stands."""
        if self._coordinator is not None:
            self._coordinator.send(signal.SIGKILL)
            self._coordinator.end()
            self._coordinator = None

    @property
    def log(self) -> str:
        """What the coordinators have written so far."""
        return (self._folder / "coordinator.log").read_text(errors="replace")

    def _answers(self) -> bool:
        if self._coordinator is None or not self._coordinator.is_running():
            raise AssertionError(f"the coordinator ended: {self.log}")
        try:
            answer = self.api.get(f"/v1/namespaces/{POOL}")
            return answer.status == 200 and bool(answer.json["ready"])
        except NoAnswer:
            return False

    # --- the loads --------------------------------------------------------------------------------

    def _occupy(self) -> None:
        """Slots first are taken under the limits before, then the limits become those of now."""
        self._agents = {node.name: Agent(node.name) for node in self.plan.nodes}
        self._crowd.agents = [self._agents[node.name] for node in self.plan.nodes]
        for node in self.plan.nodes:
            self._hold(node)
        self._background.run(self._crowd.sync(self._with_claims()))
        expected = sum(len(node.holding) for node in self.plan.nodes)
        until(lambda: self._hold_all(expected), f"{expected} loads hold: {self.totals()}")
        self._background.run(self._crowd.sync(self._with_claims()))  # each knows its grant
        self.configure(self.plan.now)
        for node in self.plan.nodes:
            self._ask_for(node, node.waiting)
        self._background.run(self._crowd.sync(self._with_claims()))

    def _hold_all(self, expected: int) -> bool:
        """Whether they do; else they ask once more: who was silent for long is granted nothing."""
        if self.totals()["held"] == expected:
            return True
        waiting = [agent for agent in self._with_claims() if agent.waits()]
        self._background.run(self._crowd.sync(waiting))
        return False

    def _hold(self, node: NodePlan) -> None:
        """The last holder of a mute node asks until it is granted, and is never heard of again."""
        self._ask_for(node, node.holding[: -1 if node.mute else None])
        if node.mute:
            load = node.holding[-1]
            terms = {"load": load.name, "pod": self._pods[load.claim], "ttlSeconds": SHORT}
            self.granted(node.name, load.claim, **terms)

    def _ask_for(self, node: NodePlan, loads: list[Load]) -> None:
        for load in loads:
            self._agents[node.name].add(load, self._pods[load.claim])

    def _with_claims(self) -> list[Agent]:
        return [agent for agent in self._crowd.agents if agent.claims]

    def totals(self) -> Any:
        """The pool's totals as it tells them; zeros before it knows them."""
        told = self.api.get(f"/v1/namespaces/{POOL}").json
        return told.get("totals") or {"held": 0, "limit": 0, "queued": 0, "nodes": 0}

    def node(self, node: str) -> Any:
        """A node as the coordinator tells it."""
        return self.api.get(f"{_NODES}/{node}").json

    def states(self, node: str) -> list[str]:
        """Of its slots that have a Lease."""
        return [slot["state"] for slot in self.node(node)["slots"]]

    def ask(self, node: str, claim: str, **body: Any) -> Answer:
        """PUTs a claim; its load is named as the claim where the body names none."""
        return self.api.put(f"{_NODES}/{node}/claims/{claim}", {"load": claim, **body})

    def granted(self, node: str, claim: str, **body: Any) -> None:
        """Asks until it is granted, and once more with the token, which confirms the grant."""

        def asked() -> Any:
            answer = self.ask(node, claim, waitSeconds=2, **body)
            return answer.json if answer.status == 200 else None

        grant = until(asked, f"{claim} is granted")
        assert self.ask(node, claim, fencingToken=grant["fencingToken"], **body).status == 200

    def release(self, node: str, claim: str) -> None:
        """Gives a claim's slot or place back."""
        answer = self.api.delete(f"{_NODES}/{node}/claims/{claim}")
        assert answer.status == 204, answer.raw


def main() -> None:
    """Shows one until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A pool to look at in a browser, until Ctrl-C.")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--every", type=float, default=2.0, help="seconds from load to load; 0: none"
    )
    parser.add_argument("--refused", action="store_true", help="with a ConfigMap that is refused")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = stack.enter_context(Site(options.nodes, folder, port=options.port))
        if options.every:
            site.live(options.every)
        if options.refused:
            site.configure("{broken")
        say(f"{site.url}/ shows {options.nodes} nodes; the API server is {site.kube.url}")
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        signal.sigwait(ENDS)


if __name__ == "__main__":
    main()

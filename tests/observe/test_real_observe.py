"""On the real API server: `observe` with get and list alone, while a backup goes on."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from coordinator import cli
from coordinator.core.movers import Kind
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import load_access
from coordinator.velero.reading import RESOURCES, read
from tests.e2e import people
from tests.e2e.cluster import Cluster, limits
from tests.e2e.people import person
from tests.e2e.processes import SCRIPTS, Program
from tests.observe import crds
from tests.velero_cli import objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real


def right(group: str, verb: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": [verb]}


WORKLOADS = right("apps", "list", "deployments", "daemonsets")
WORKS = right("velero.io", "list", *(resource for resource, _ in RESOURCES.values()))
INSIDE = (WORKLOADS, WORKS, right("", "list", "pods"), right("", "get", "configmaps"))
NODES = right("", "list", "nodes")
"""As `observe --help` names them."""
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
UPLOAD, BACKUP = Kind.DATA_UPLOAD, Kind.POD_VOLUME_BACKUP
PATIENCE = 240.0
"""Seconds until a change is told. After a look of five seconds, on a machine under load, nobody
looks for fifty (`SHARE` in `coordinator.observe.session`)."""


def at(seconds: float) -> str:
    """A metav1.Time, so long after the backup began."""
    return (BEGAN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Velero:
    """A Velero's objects in one namespace, and an account that may look at them."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.space = cluster, cluster.namespace
        self.node = cluster.add_node()
        cluster.apply(objects.velero(self.space))
        cluster.apply(objects.node_agent(self.space, "--data-mover-prepare-timeout=24h"))
        cluster.apply(objects.config_map(self.space, objects.NODE_AGENT, limits(1)))
        self.kubeconfig = folder / "looker"
        config = json.loads(cluster.server.kubeconfig.read_text())
        token = person(cluster, "looker", *INSIDE)
        people._grant(cluster, "looker", (NODES,), everywhere=True)
        config["users"][0]["user"] = {"token": token}
        self.kubeconfig.write_text(json.dumps(config))

    def mover(self, kind: Kind, name: str, *, started: str = "", ended: str = "") -> None:
        """Its Pod, and what its kubelet told."""
        pod = {"metadata": {"name": name, "labels": {kind.label: name}}, "spec": self._spec()}
        self.cluster.make(self.cluster.pod_path(), pod)
        self.tell(name, started=started, ended=ended)

    def tell(self, name: str, *, started: str, ended: str = "") -> None:
        state: dict[str, Any] = {"running": {"startedAt": started}} if started else {"waiting": {}}
        if ended:
            over = {"startedAt": started, "finishedAt": ended, "exitCode": 0}
            state = {"terminated": over}
        phase = "Succeeded" if ended else "Running" if started else "Pending"
        status = {"name": "mover", "state": state, "ready": False, "restartCount": 0}
        status |= {"image": "velero", "imageID": ""}
        self.cluster.tell(name, {"phase": phase, "containerStatuses": [status]})

    def work(self, kind: Kind, name: str, phase: str, **times: str) -> None:
        body = crds.work(kind, name, self.node, phase, "nightly", **times)
        self.cluster.make(crds.place(kind, self.space), body)

    def becomes(self, kind: Kind, name: str, phase: str, **times: str) -> None:
        path = f"{crds.place(kind, self.space)}/{name}"
        answer = self.cluster.api.merge(path, {"status": {"phase": phase, **times}})
        assert answer.status == 200, answer.raw

    def _spec(self) -> dict[str, Any]:
        own = {"name": "mover", "image": "velero/velero:v1.18.0"}
        account = {"serviceAccountName": "velero", "restartPolicy": "Never"}
        return {"nodeName": self.node, "containers": [own], **account}

    def command(self, *options: str) -> list[str]:
        place = ["-n", self.space, "--kubeconfig", str(self.kubeconfig)]
        return ["observe", *place, *options]


@pytest.fixture
def velero(real_server: RealApiServer, tmp_path: Path) -> Iterator[Velero]:
    """Two movers move data where one may, a third waits, a fourth is done."""
    cluster = Cluster(real_server)
    try:
        crds.add(cluster)
        made = Velero(cluster, tmp_path)
        for name in ("nightly-a", "nightly-b"):
            accepted = {"acceptedTimestamp": at(1), "startTimestamp": at(5)}
            made.work(BACKUP, name, "InProgress", **accepted)
            made.mover(BACKUP, name, started=at(4))
        made.work(UPLOAD, "nightly-c", "Accepted", acceptedTimestamp=at(1))
        made.mover(UPLOAD, "nightly-c")
        ended = {"startTimestamp": at(5), "completionTimestamp": at(10**6)}  # after it was made
        made.work(BACKUP, "nightly-d", "Completed", acceptedTimestamp=at(1), **ended)
        yield made
    finally:
        crds.remove(cluster)
        cluster.close()


def test_get_and_list_are_enough_and_all_that_is_asked_for(
    velero: Velero, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(velero.command("-o", "json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["notSeen"] == []
    (node,) = [one for one in told["nodes"] if one["name"] == velero.node]
    assert (node["limit"], node["decidedBy"]) == (1, "globalConfig")
    assert (node["moving"], node["waiting"], node["over"]) == (2, 1, 1)
    assert told["velero"] == "v1.18.0"
    states = {one["name"]: one["state"] for one in told["movers"]}
    assert states == {"nightly-a": "moving", "nightly-b": "moving", "nightly-c": "waiting"}


async def test_no_other_verb_is_ever_sent(velero: Velero) -> None:
    verbs: list[str] = []
    access = await load_access(str(velero.kubeconfig))
    async with KubeClient(access, observe=lambda verb, *_: verbs.append(verb)) as client:
        world = await read(client, velero.space, 0.0)
    assert set(verbs) == {"get", "list"}
    assert [one.prepare_timeout for one in world.node_agents] == [86400.0]


def test_what_may_not_be_seen_is_said_and_the_rest_is_shown(
    velero: Velero, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.loads(velero.kubeconfig.read_text())
    token = person(velero.cluster, "half", WORKLOADS, WORKS)
    config["users"][0]["user"] = {"token": token}
    velero.kubeconfig.write_text(json.dumps(config))
    assert cli.main(velero.command("-o", "json")) == 0
    told = json.loads(capsys.readouterr().out)
    assert [text.split(":")[0].split(" in ")[0] for text in told["notSeen"]] == [
        *("configmaps", "nodes", "pods")
    ]
    assert {one["name"] for one in told["movers"]} == {"nightly-a", "nightly-b", "nightly-c"}


@pytest.mark.timeout(900)
def test_a_backup_is_followed_recorded_and_reported(
    velero: Velero, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, log = tmp_path / "night.jsonl", tmp_path / "observe.log"
    options = velero.command("--record", str(file), "--watch", "0.5")
    program = Program([str(SCRIPTS / "slot-coordinator"), *options], {}, log)
    try:
        program.wait_said("OVER by 1", PATIENCE)
        velero.becomes(BACKUP, "nightly-a", "Completed", completionTimestamp=at(20))
        velero.tell("nightly-a", started=at(4), ended=at(20))
        program.wait_said("no more over its limit", PATIENCE)
        velero.tell("nightly-c", started=at(21))
        velero.becomes(UPLOAD, "nightly-c", "InProgress", startTimestamp=at(22))
        program.wait_said("nightly-c (backup of nightly): moving, after a wait of", PATIENCE)
        program.send(signal.SIGINT)
        assert program.exit_code() == 0
    finally:
        program.end()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert (lines[0]["key"], lines[-1]["key"]) == ("begin", "end")
    capsys.readouterr()
    assert cli.main(["observe", "--report", str(file), "-o", "json"]) == 0
    was = json.loads(capsys.readouterr().out)["asItWas"]
    assert (was["movers"], was["overlaps"]["most"]) == (4, 2)

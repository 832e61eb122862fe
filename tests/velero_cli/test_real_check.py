"""On the real API server: `velero check` on a Velero that is there, as an account that may look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from coordinator import cli
from coordinator.injection import Sidecar, policy, webhook
from coordinator.velero import check
from tests.e2e import people, tokens
from tests.e2e.cluster import Cluster, limits
from tests.velero_cli import objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.realserver.server import RealApiServer

pytestmark = pytest.mark.real

SIDECAR = Sidecar("node-slots:0.1.0", "https://node-slots.velero.svc:8443", "velero")


@pytest.fixture
def cluster(real_server: RealApiServer) -> Iterator[Cluster]:
    made = Cluster(real_server)
    made.add_node()
    yield made
    made.close()


@pytest.fixture
def velero(cluster: Cluster) -> Cluster:
    """A Velero that is set as `velero check` wants it."""
    space = cluster.namespace
    flags = ("--fs-backup-timeout=48h", "--default-item-operation-timeout", "48h")
    cluster.apply(objects.velero(space, *flags))
    cluster.apply(objects.node_agent(space, "--data-mover-prepare-timeout=24h"))
    cluster.apply(objects.config_map(space, objects.NODE_AGENT, limits(1000)))
    cluster.apply(objects.config_map(space, "node-slots", limits(2)))
    return cluster


class Looker:
    """An account that may get and list, and nothing else."""

    def __init__(self, cluster: Cluster, folder: Path, *, blind: bool = False) -> None:
        self._cluster = cluster
        self._file = folder / "kubeconfig"
        config = json.loads(cluster.server.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": _token(cluster, blind=blind)}
        self._file.write_text(json.dumps(config))

    def check(self, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, list[Any]]]:
        """The exit code, and the findings by their topic."""
        place = ["-n", self._cluster.namespace, "--kubeconfig", str(self._file)]
        code = cli.main(["velero", "check", *place, "-o", "json"])
        printed = capsys.readouterr()
        assert printed.out, printed.err
        told: dict[str, list[Any]] = {}
        for one in json.loads(printed.out)["findings"]:
            told.setdefault(one["about"], []).append(one)
        return code, told


def _token(cluster: Cluster, *, blind: bool) -> str:
    inside, everywhere = objects.INSIDE, objects.EVERYWHERE
    if blind:
        return people.person(cluster, "blind", {**inside, "apiGroups": ["apps"]})
    people.person(cluster, "looker", *everywhere, everywhere=True)
    people._grant(cluster, "looker", (inside,), everywhere=False)
    return tokens.token(cluster.api, cluster.namespace, "looker")


def test_what_is_set_is_read_and_what_can_inject_is_discovered(
    velero: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = Looker(velero, tmp_path).check(capsys)
    assert code == check.READY
    assert told["Velero"][0]["text"].startswith("v1.18.0")
    assert "native sidecars" in told["Kubernetes"][0]["text"]
    assert "MutatingAdmissionPolicy v1, webhooks" in told["injection"][0]["text"]
    for about in ("Velero's own limit", "limits", "prepare timeout", "fs-backup-timeout"):
        assert [one["level"] for one in told[about]] == ["ok"], told[about]
    unseen = [one["text"] for one in told["not seen"]]
    assert all("does not have that resource" in text for text in unseen)  # Velero's own kinds


def test_an_injection_that_does_nothing_is_an_error_until_it_is_whole(
    velero: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule, binding = policy(SIDECAR, velero.namespace)
    (hook,) = webhook(velero.namespace, "node-slots")
    looker = Looker(velero, tmp_path)
    velero.apply(rule)
    velero.apply(hook)
    code, told = looker.check(capsys)
    faults = [one["text"] for one in told["injection"] if one["level"] == "error"]
    assert (code, len(faults)) == (check.NOT_READY, 2)
    assert "no binding" in faults[0]
    assert "caBundle is empty" in faults[1]
    velero.apply(binding)
    assert [one["level"] for one in looker.check(capsys)[1]["injection"]] == ["ok", "error"]


def test_who_may_see_little_is_told_what_is_missing(
    velero: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = Looker(velero, tmp_path, blind=True).check(capsys)
    unseen = " ".join(one["text"] for one in told["not seen"])
    for resource in ("nodes", "configmaps", "pods", "mutatingadmissionpolicies"):
        assert resource in unseen

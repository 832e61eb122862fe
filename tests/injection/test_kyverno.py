"""Kyverno's own command line does to mover Pods what `operations` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from coordinator.core.movers import GOVERNED, Kind
from coordinator.injection import kyverno, policy
from coordinator.install.text import rendered
from tests.injection.judge import a_sidecar, injected
from tests.injection.movers import mover
from tests.tools.programs import KYVERNO
from tests.tools.using import tool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.injection.movers import Pod
    from tests.tools.programs import Tool


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    """kyverno."""
    return tool(KYVERNO, tmp_path_factory.mktemp("kyverno"))


def pods() -> dict[str, Pod]:
    """Each kind of mover, and whatever else there is to decide, by name."""
    found = [mover(kind, name=kind.value.lower()) for kind in Kind]
    found += [mover(Kind.DATA_UPLOAD, name="windows", windows=True)]
    found += [mover(Kind.DATA_UPLOAD, name="with-an-init-container")]
    found[-1]["spec"]["initContainers"] = [{"name": "mine", "image": "example.org/none"}]
    found += [mover(Kind.POD_VOLUME_BACKUP, name="with-its-sidecar")]
    found[-1]["spec"]["initContainers"] = [{"name": "node-slots", "image": "example.org/none"}]
    found += [mover(Kind.POD_VOLUME_BACKUP, name="with-its-volume")]
    found[-1]["spec"]["volumes"].append({"name": "node-slots", "emptyDir": {}})
    found += [mover(Kind.POD_VOLUME_BACKUP, name="with-its-label")]
    found[-1]["metadata"]["labels"][GOVERNED] = "false"
    found += [mover(Kind.POD_VOLUME_BACKUP, name="no-mover")]
    found[-1]["metadata"]["labels"] = {"name": "node-agent"}
    return {pod["metadata"]["name"]: pod for pod in found}


def changed(program: Tool, folder: Path, found: dict[str, Pod]) -> dict[str, Pod]:
    """The Pods as Kyverno leaves them, by name."""
    (folder / "policy.yaml").write_text(rendered([], kyverno(a_sidecar(), "velero")))
    (folder / "pods.yaml").write_text(yaml.safe_dump_all(found.values()))
    out = folder / "out"
    out.mkdir()
    program(["apply", folder / "policy.yaml", "--resource", folder / "pods.yaml", "-o", out])
    return {pod["metadata"]["name"]: pod for pod in map(_only, out.iterdir())}


def _only(path: Path) -> Pod:
    """The Pod in a file; Kyverno may write it twice, and ends with an empty document."""
    pod, *more = filter(None, yaml.safe_load_all(path.read_text()))
    assert all(one == pod for one in more), path.name
    found: Pod = pod
    return found


@pytest.mark.kyverno
def test_every_pod_becomes_what_the_operations_say(program: Tool, tmp_path: Path) -> None:
    expected = {name: injected(a_sidecar(), pod) for name, pod in pods().items()}
    assert changed(program, tmp_path, pods()) == expected
    touched = {name for name, pod in pods().items() if expected[name] != pod}
    assert touched == {*(kind.value.lower() for kind in Kind), "with-an-init-container"}


@pytest.mark.kyverno
def test_movers_of_another_namespace_are_left_alone(program: Tool, tmp_path: Path) -> None:
    elsewhere = {"there": mover(Kind.DATA_UPLOAD, "elsewhere", "there")}
    assert changed(program, tmp_path, elsewhere) == elsewhere


def test_the_rule_is_that_of_kubernetes_own_policy() -> None:
    (theirs,) = kyverno(a_sidecar(), "velero")
    ours, _ = policy(a_sidecar(), "velero")
    assert ours["spec"].items() <= theirs["spec"].items()

"""What becomes of one Pod: the sidecar first, once, and only in movers for Linux."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.cli.main import _parser
from agent_client.hold.files import GATE
from coordinator.core.movers import GOVERNED, Kind, is_governed
from coordinator.injection import Sidecar, operations
from coordinator.injection.sidecar import labels
from coordinator.settings import Settings
from tests.injection.judge import a_sidecar, injected
from tests.injection.movers import mover

if TYPE_CHECKING:
    from tests.injection.movers import Pod

BACKUP = Kind.POD_VOLUME_BACKUP


def sidecar_of(pod: Pod) -> Any:
    return injected(a_sidecar(), pod)["spec"]["initContainers"][0]


def options(kind: Kind) -> Any:
    """What `slot-agent hold` reads from the command."""
    program, *words = sidecar_of(mover(kind))["command"]
    assert program == "slot-agent"
    return _parser().parse_args(words)


@pytest.mark.parametrize("kind", Kind)
def test_every_mover_becomes_governed_and_keeps_what_it_had(kind: Kind) -> None:
    before = mover(kind)
    after = injected(a_sidecar(), copy.deepcopy(before))
    assert is_governed(after["metadata"]["labels"])
    del after["metadata"]["labels"][GOVERNED]
    (added,) = after["spec"].pop("initContainers")
    mounted = {mount["name"] for mount in added["volumeMounts"]}
    last = after["spec"]["volumes"][len(before["spec"]["volumes"]) :]
    assert {volume["name"] for volume in last} == mounted
    del after["spec"]["volumes"][-len(mounted) :]
    assert after == before


def test_hold_takes_the_command_and_the_probe_looks_for_its_file() -> None:
    assert options(Kind.DATA_UPLOAD).claim == "$(POD_UID)"
    assert options(Kind.DATA_UPLOAD).ttl == 30
    assert options(Kind.DATA_UPLOAD).load is None, "the Pod's name, which is the CR's"
    sidecar = sidecar_of(mover(BACKUP))
    folder = options(BACKUP).state_dir
    assert sidecar["startupProbe"]["exec"]["command"][-1] == f"{folder}/{GATE}"
    assert folder in {mount["mountPath"] for mount in sidecar["volumeMounts"]}
    assert "POD_UID" in {one["name"] for one in sidecar["env"]}


def test_restores_ask_with_what_counts_as_urgent() -> None:
    priorities = {kind: options(kind).priority for kind in Kind}
    urgent = {kind for kind, priority in priorities.items() if priority >= _urgent()}
    assert urgent == {Kind.POD_VOLUME_RESTORE, Kind.DATA_DOWNLOAD}


def _urgent() -> int:
    return int(Settings.model_fields["restore_priority"].default)


def test_an_earlier_list_of_init_containers_is_kept_behind_the_sidecar() -> None:
    pod = mover(BACKUP)
    mine = {"name": "mine", "image": "example.org/none"}
    pod["spec"]["initContainers"] = [mine]
    first, *rest = injected(a_sidecar(), pod)["spec"]["initContainers"]
    assert first["name"] == "node-slots"
    assert rest == [mine]


@pytest.mark.parametrize("nothing", [None, []])
def test_lists_that_are_not_there_are_made(nothing: object) -> None:
    pod = mover(BACKUP)
    pod["spec"] |= {"initContainers": nothing, "volumes": nothing}
    after = injected(a_sidecar(), pod)["spec"]
    assert (len(after["initContainers"]), len(after["volumes"])) == (1, 3)


def test_twice_is_once() -> None:
    once = injected(a_sidecar(), mover(BACKUP))
    assert operations(a_sidecar(), once) == []


@pytest.mark.parametrize("value", ["true", "false", ""])
def test_the_label_keeps_it_out_whatever_it_says(value: str) -> None:
    pod = mover(BACKUP)
    pod["metadata"]["labels"][GOVERNED] = value
    assert operations(a_sidecar(), pod) == []


def test_the_sidecar_or_one_of_its_volumes_keeps_it_out() -> None:
    """A node-agent with deploy/patches passes its volumes on: a Pod with two would be refused."""
    whole = injected(a_sidecar(), mover(BACKUP))["spec"]
    for field, place in (("initContainers", 0), ("volumes", -1), ("volumes", -2), ("volumes", -3)):
        pod = mover(BACKUP)
        pod["spec"].setdefault(field, []).append(whole[field][place])
        assert operations(a_sidecar(), pod) == [], (field, place)


@pytest.mark.parametrize("field", ["os", "nodeSelector"])
def test_windows_is_left_alone_by_either_sign(field: str) -> None:
    pod = mover(BACKUP, windows=True)
    assert operations(a_sidecar(), pod) == []
    del pod["spec"][field]
    assert operations(a_sidecar(), pod) == []


@pytest.mark.parametrize("labels", [None, {}, {"velero.io/exposer-pod-group": "x"}])
def test_what_is_no_mover_is_left_alone(labels: object) -> None:
    pod = mover(BACKUP)
    pod["metadata"]["labels"] = labels
    assert operations(a_sidecar(), pod) == []


def test_what_is_chosen_reaches_the_sidecar_and_no_word_is_left_unfilled() -> None:
    chosen = Sidecar("example.org/i:1", "https://c:8443", "pool", "ca", 45, 7, -3)
    for kind, priority in ((BACKUP, "-3"), (Kind.DATA_DOWNLOAD, "7")):
        text = str(operations(chosen, mover(kind)))
        assert "${" not in text
        for word in ("example.org/i:1", "https://c:8443", "'pool'", "'ca'", "'45'", priority):
            assert word in text


def test_neither_the_source_nor_an_earlier_answer_is_changed_by_its_reader() -> None:
    first = operations(a_sidecar(), mover(BACKUP))
    kept = copy.deepcopy(first)
    first[2]["value"]["env"].clear()
    labels()["mine"] = "yes"
    assert operations(a_sidecar(), mover(BACKUP)) == kept


def test_the_sidecar_is_no_root_and_sees_no_account() -> None:
    """The Pod's own securityContext says runAsUser 0."""
    sidecar = sidecar_of(mover(BACKUP))
    assert sidecar["securityContext"]["runAsNonRoot"] is True
    assert sidecar["securityContext"]["runAsUser"] > 0
    places = {mount["mountPath"]: mount["name"] for mount in sidecar["volumeMounts"]}
    volumes = {one["name"]: one for one in injected(a_sidecar(), mover(BACKUP))["spec"]["volumes"]}
    covered = places["/var/run/secrets/kubernetes.io/serviceaccount"]
    assert "emptyDir" in volumes[covered]

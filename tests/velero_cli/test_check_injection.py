"""`velero check`: how the sidecar gets in, and who answers it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.core.movers import Kind
from coordinator.injection import Sidecar
from coordinator.velero.check_model import Coordinator, Injected, Level, Served, Way
from coordinator.velero.world import Mover
from tests.velero_cli.worlds import NOW, OWN, WORLD, found, only

NOTHING = replace(OWN, injected=(), coordinator=None)


@pytest.mark.parametrize(
    ("served", "way", "words"),
    [
        (Served("v1"), "policy", "MutatingAdmissionPolicy v1"),
        (Served("v1", kyverno=True), "policy", "Kyverno"),
        (Served("v1beta1"), "webhook", "MutatingAdmissionPolicy as v1beta1 only"),
        (Served(""), "webhook", "has webhooks"),
        (Served("", kyverno=True), "webhook", "webhooks, Kyverno"),
    ],
)
def test_the_best_way_that_the_cluster_has_is_recommended(
    served: Served, way: str, words: str
) -> None:
    told = only("injection", own=replace(NOTHING, served=served))
    assert (told.level, words in told.text) == (Level.NOTE, True), told.text
    assert f"--injection {way} " in told.commands[0]


def test_a_coordinator_without_an_injection_is_a_warning() -> None:
    assert only("injection", own=replace(OWN, injected=())).level is Level.WARNING


def test_the_namespace_is_in_the_command_when_it_is_not_the_usual_one() -> None:
    told = only("injection", replace(WORLD, namespace="backup"), NOTHING)
    assert "--namespace backup" in told.commands[0]


def test_discovery_that_was_not_answered_is_a_note() -> None:
    assert only("injection", own=replace(NOTHING, served=None)).level is Level.NOTE


def test_an_injection_with_a_fault_is_an_error() -> None:
    broken = Injected(Way.WEBHOOK, "node-slots-movers", "its caBundle is empty")
    told = only("injection", own=replace(OWN, injected=(broken,)))
    assert (told.level, "caBundle" in told.text) == (Level.ERROR, True)


def test_an_injection_for_another_velero_is_left_to_it() -> None:
    """Under the same name it would be taken away from that one."""
    theirs = Injected(Way.POLICY, "node-slots-movers", "it is for namespace backup", "backup")
    told = only("injection", own=replace(OWN, injected=(theirs,)))
    assert "leave it to the Velero of namespace backup" in told.todo
    assert "another --name" in told.todo


def test_the_name_is_in_the_command_when_it_is_not_the_usual_one() -> None:
    told = only("injection", own=replace(NOTHING, name="second"))
    assert "--name second " in told.commands[0]


@pytest.mark.parametrize(("ready", "level"), [(0, Level.ERROR), (1, Level.WARNING), (2, Level.OK)])
def test_the_coordinators_replicas_are_counted(ready: int, level: Level) -> None:
    made = Coordinator("node-slots-coordinator", 2, ready, {"prepare-timeout": "86400"})
    assert only("coordinator", own=replace(OWN, coordinator=made)).level is level


def test_a_sidecar_without_a_coordinator_to_answer_it_is_an_error() -> None:
    assert only("coordinator", own=replace(OWN, coordinator=None)).level is Level.ERROR
    assert "ten minutes" in only("coordinator", own=replace(OWN, coordinator=None)).text
    assert only("coordinator", own=NOTHING).level is Level.NOTE
    theirs = Injected(Way.POLICY, "node-slots-movers", "it is for namespace backup", "backup")
    assert only("coordinator", own=replace(NOTHING, injected=(theirs,))).level is Level.NOTE


def test_how_long_movers_wait_for_a_coordinator_that_is_away_is_what_the_sidecar_says() -> None:
    command = Sidecar("i", "https://c", "velero").container("0")["command"]
    after = command[command.index("--unavailable-after") + 1]
    assert command[command.index("--if-unavailable") + 1] == "run"
    assert float(after) == 600, "ten minutes, as the findings say"


def test_movers_that_run_without_a_slot_now_are_named_once_something_injects() -> None:
    mover = Mover("nightly-x", "u", Kind.POD_VOLUME_BACKUP, "node1", "Running", False, False, NOW)
    done = replace(mover, name="done", phase="Succeeded")
    held = replace(mover, name="held", governed=True)
    foreign = replace(mover, name="windows", windows=True)
    world = replace(WORLD, movers=(mover, done, held, foreign))
    told = only("movers", world)
    assert (told.level, "nightly-x" in told.text) == (Level.WARNING, True)
    assert told.text.startswith("1 mover is")
    assert only("movers", world, NOTHING).level is Level.NOTE
    assert not found("movers", replace(WORLD, movers=(done, held, foreign)))

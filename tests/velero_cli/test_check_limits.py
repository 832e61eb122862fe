"""`velero check`: our limits, Velero's own, and how many movers it lets exist."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import Any

import pytest

from coordinator.core.limits import read_config
from coordinator.core.movers import Kind
from coordinator.velero.check_model import Finding, Level
from coordinator.velero.world import Limits, World
from tests.velero_cli.worlds import (
    AGENT,
    LINUX,
    OWN,
    WINDOWS,
    WORLD,
    agent,
    found,
    limits,
    only,
    server,
    works,
)

VELEROS, QUEUE = "Velero's own limit", "prepareQueueLength"


def _theirs(**section: Any) -> World:
    number = section.pop("number", 1000)
    return replace(WORLD, limits=(limits("node-agent-config", number=number, **section),))


def _patched(told: Finding) -> dict[str, Any]:
    """The text that the command of a finding puts into the ConfigMap."""
    words = shlex.split(told.commands[0])
    assert words[:6] == ["kubectl", "-n", "velero", "patch", "configmap", "node-agent-config"]
    (text,) = json.loads(words[-1])["data"].values()
    assert not read_config({"config.json": text}).warnings
    config: dict[str, Any] = json.loads(text)
    return config


def test_our_limits_are_told_with_the_namespace_of_their_config_map() -> None:
    assert only("limits").text == "ConfigMap velero/node-slots: 2 a node"


def test_a_refused_config_map_of_ours_is_an_error_and_one_with_doubts_a_warning() -> None:
    refused = replace(OWN, limits=Limits("node-slots", {"a": '{"loadConcurrency": 3}'}))
    assert only("limits", own=refused).level is Level.ERROR
    doubtful = replace(OWN, limits=limits(perNodeConfig=[{"number": 0}]))
    assert [one.level for one in found("limits", own=doubtful)] == [Level.OK, Level.WARNING]


def test_a_config_map_that_is_not_there_matters_once_a_coordinator_reads_it() -> None:
    missing = replace(OWN, limits=Limits("node-slots", None))
    assert only("limits", own=missing).level is Level.ERROR
    assert only("limits", own=replace(missing, coordinator=None)).level is Level.NOTE


@pytest.mark.parametrize(
    ("number", "level"),
    [(1, Level.ERROR), (2, Level.WARNING), (999, Level.WARNING), (1000, Level.OK)],
)
def test_veleros_own_limit_must_not_be_the_lower_one(number: int, level: Level) -> None:
    assert only(VELEROS, _theirs(number=number)).level is level


def test_one_node_on_which_veleros_limit_is_lower_is_enough() -> None:
    rule = {"nodeSelector": {"matchLabels": {"kubernetes.io/hostname": "node2"}}, "number": 1}
    told = only(VELEROS, _theirs(perNodeConfig=[rule]))
    assert told.level is Level.ERROR
    assert "node2 (1 instead of 2)" in told.text
    assert "node1" not in told.text


def test_the_command_keeps_everything_but_the_limit() -> None:
    text = {
        "LoadConcurrency": {"globalConfig": 1, "perNodeConfig": [], "prepareQueueLength": 50},
        "podResources": {"cpuLimit": "1"},
    }
    theirs = Limits("node-agent-config", {"any.json": json.dumps(text)})
    config = _patched(only(VELEROS, replace(WORLD, limits=(theirs,))))
    assert config.pop("LoadConcurrency") == {"globalConfig": 1000, "prepareQueueLength": 50}
    assert config == {"podResources": {"cpuLimit": "1"}}


def test_the_command_keeps_a_limit_on_windows_nodes() -> None:
    world = replace(_theirs(number=1), nodes=(*LINUX, WINDOWS))
    config = _patched(only(VELEROS, world))["loadConcurrency"]
    windows = {"nodeSelector": {"matchLabels": {"kubernetes.io/os": "windows"}}, "number": 1}
    assert config["perNodeConfig"] == [windows]


def test_a_node_agent_without_a_config_map_holds_one() -> None:
    told = only(VELEROS, agent(config_map=""))
    assert told.level is Level.ERROR
    assert "create configmap node-agent-config" in told.commands[0]
    assert "--node-agent-configmap=node-agent-config" in told.commands[1]


def test_a_config_map_that_is_named_and_not_there_is_made_under_that_name() -> None:
    told = only(VELEROS, replace(WORLD, limits=(Limits("node-agent-config", None),)))
    assert "create configmap node-agent-config" in told.commands[0]
    assert "rollout restart" in told.commands[1]


def test_a_config_map_for_both_is_an_error() -> None:
    assert only(VELEROS, agent(config_map="node-slots")).level is Level.ERROR


def test_one_that_velero_refuses_or_nobody_may_read_is_told() -> None:
    refused = Limits("node-agent-config", {"a": "{}", "b": "{}"})
    assert only(VELEROS, replace(WORLD, limits=(refused,))).level is Level.ERROR
    assert only(VELEROS, replace(WORLD, limits=())).level is Level.NOTE


@pytest.mark.parametrize(
    ("length", "volumes", "level"),
    [
        (0, 0, Level.NOTE),
        (1, 0, Level.WARNING),
        (2, 0, Level.NOTE),
        (4, 0, Level.OK),
        (4, 5, Level.NOTE),
        (5, 5, Level.OK),
    ],
)
def test_the_bound_on_movers_is_held_against_the_slots_and_the_largest_backup(
    length: int, volumes: int, level: Level
) -> None:
    world = replace(_theirs(prepareQueueLength=length), works=works(volumes, 60.0))
    assert only(QUEUE, world).level is level


def test_volumes_of_one_backup_count_over_all_nodes_and_a_restore_apart() -> None:
    both = works(3, 60.0) + works(3, 60.0, node="node2")
    back = works(5, 60.0, kind=Kind.POD_VOLUME_RESTORE)
    told = only(QUEUE, replace(_theirs(prepareQueueLength=4), works=both + back))
    assert "has 6 volumes" in told.text


def test_commands_on_one_config_map_say_the_same() -> None:
    world = _theirs(number=1, prepareQueueLength=1)
    assert only(QUEUE, world).commands == only(VELEROS, world).commands
    assert _patched(only(QUEUE, world))["loadConcurrency"] == {
        "globalConfig": 1000,
        "prepareQueueLength": 4,
    }


def test_a_velero_that_knows_no_such_bound_is_not_told_of_it() -> None:
    assert not found(QUEUE, replace(_theirs(prepareQueueLength=1), velero="v1.16.0"))


def test_too_few_workers_leave_slots_idle_in_file_system_backups() -> None:
    few = only("workers", server({"item-block-worker-count": "3"}))
    assert "--item-block-worker-count=4" in few.commands[0]
    assert not found("workers")
    snapshots = replace(
        server({"item-block-worker-count": "1"}), works=works(1, 60.0, kind=Kind.DATA_UPLOAD)
    )
    assert not found("workers", snapshots)


def test_a_windows_node_agent_is_not_asked_for_more() -> None:
    windows = replace(AGENT, name="node-agent-windows", config_map="", windows=True)
    assert len(found(VELEROS, replace(WORLD, node_agents=(AGENT, windows)))) == 1

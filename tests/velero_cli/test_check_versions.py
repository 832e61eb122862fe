"""`velero check`: which versions can be governed, and what of the work is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coordinator.core.movers import Kind
from coordinator.velero.check_model import Level
from tests.velero_cli.worlds import AGENT, LINUX, WINDOWS, WORLD, agent, found, only, works, worst


def test_a_cluster_that_has_everything_has_nothing_to_mend() -> None:
    assert worst() == []


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        ("v1.14.1", Level.ERROR, "no Pods"),
        ("v1.15.0", Level.NOTE, "DataUpload, DataDownload"),
        ("v1.16.2", Level.NOTE, "until 1.17 and are not"),
        ("v1.17.0-rc.1", Level.OK, "every data mover"),
        ("1.18.0", Level.OK, "every data mover"),
        ("v2.0.0", Level.OK, "every data mover"),
        ("", Level.WARNING, "does not tell the version"),
    ],
)
def test_what_each_velero_can_have_governed(version: str, level: Level, words: str) -> None:
    told = only("Velero", replace(WORLD, velero=version))
    assert (told.level, words in told.text) == (level, True), told


def test_file_system_backups_on_a_velero_that_does_them_itself_are_a_warning() -> None:
    world = replace(WORLD, velero="v1.16.0", works=works(3, 60.0))
    assert only("Velero", world).level is Level.WARNING
    others = replace(world, works=works(3, 60.0, kind=Kind.DATA_UPLOAD))
    assert only("Velero", others).level is Level.NOTE


def test_no_velero_is_an_error_that_names_the_namespace() -> None:
    nothing = replace(WORLD, velero="", server=None, node_agents=(), namespace="elsewhere")
    told = only("Velero", nothing)
    assert told.level is Level.ERROR
    assert "elsewhere" in told.text


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("v1.27.9", Level.ERROR),
        ("v1.28.15", Level.ERROR),
        ("v1.29.0", Level.OK),
        ("v1.30.4-gke.1", Level.OK),
        ("", Level.NOTE),
    ],
)
def test_native_sidecars_are_needed_from_the_api_server(version: str, level: Level) -> None:
    assert only("Kubernetes", replace(WORLD, kubernetes=version)).level is level


def test_an_old_kubelet_is_named_but_not_that_of_a_windows_node() -> None:
    old = replace(LINUX[1], kubelet="v1.28.3")
    told = only("kubelets", replace(WORLD, nodes=(LINUX[0], old)))
    assert told.level is Level.ERROR
    assert "node2 (v1.28.3)" in told.text
    assert not found("kubelets", replace(WORLD, nodes=(*LINUX, replace(WINDOWS, kubelet="v1.28"))))


def test_node_agents_make_the_movers() -> None:
    assert only("node-agent", replace(WORLD, node_agents=())).level is Level.ERROR
    some = only("node-agent", agent(ready=1))
    assert (some.level, "1 of 2" in some.text) == (Level.WARNING, True)


@pytest.mark.parametrize("containers", [0, 2])
def test_velero_copies_only_a_template_with_exactly_one_container(containers: int) -> None:
    told = found("node-agent", agent(containers=containers))
    assert [one.level for one in told] == [Level.OK, Level.ERROR]


def test_windows_nodes_are_counted_and_keep_veleros_own_limit() -> None:
    assert not found("Windows")
    shared = replace(WORLD, nodes=(*LINUX, WINDOWS))
    assert only("Windows", shared).level is Level.WARNING  # globalConfig 1000 is theirs too
    own = replace(AGENT, name="node-agent-windows", config_map="", windows=True)
    told = only("Windows", replace(shared, node_agents=(AGENT, own)))
    assert (told.level, "1 Windows node" in told.text) == (Level.NOTE, True)
    assert "limit of 1 holds" in told.text


def test_what_could_not_be_read_is_said_once() -> None:
    world = replace(WORLD, unread=("nodes: you may not list them",) * 2)
    assert [one.text for one in found("not seen", world)] == ["nodes: you may not list them"]

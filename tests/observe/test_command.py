"""The command line of `observe`: exit codes, files, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from coordinator import cli
from coordinator.observe.recorder import Recorder
from tests.observe.worlds import WORLD, config

if TYPE_CHECKING:
    from pathlib import Path


def observe(*options: str) -> int:
    return cli.main(["observe", *options])


@pytest.fixture
def recording(tmp_path: Path) -> str:
    with Recorder(tmp_path / "night.jsonl", 2.0) as recorder:
        recorder.take(WORLD)
    return str(tmp_path / "night.jsonl")


def test_a_report_needs_no_cluster(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert observe("--report", recording, "--kubeconfig", "/nowhere") == 0
    assert "how this is worked out" in capsys.readouterr().out


def test_a_report_is_data_too(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert observe("--report", recording, "-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["namespace"], told["asItWas"]["movers"]) == ("velero", 3)


def test_a_report_tries_other_limits(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "limits.json"
    file.write_text((config(2).data or {})["c.json"])
    assert observe("--report", recording, "--limits", str(file), "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["asItWas"]["overlaps"]["times"] == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--report", "/nowhere/r"], "/nowhere/r: No such file or directory"),
        (["--limits", "/nowhere/l"], "/nowhere/l: No such file or directory"),
        (["--kubeconfig", "/nowhere/k"], "no kubeconfig at /nowhere/k"),
        (["--report", "/dev/null"], "/dev/null is empty"),
        (["--report", "/dev/null", "--limits", "cm/x"], "takes a file"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    options: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert observe(*options) == 2
    told = capsys.readouterr().err
    assert told.startswith("slot-coordinator observe: ")
    assert why in told
    assert told.count("\n") == 1


def test_refused_limits_are_told_with_the_reason(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "limits.json"
    file.write_text('{"loadConcurrency": {"globalConfig": "2"}}')
    assert observe("--report", recording, "--limits", str(file)) == 2
    told = capsys.readouterr().err
    assert "is refused: loadConcurrency.globalConfig" in told
    assert f"check --config {file}" in told


@pytest.mark.parametrize(
    "options",
    [
        ["--watch", "0"],
        ["--watch", "often"],
        ["--for", "10"],
        ["--for", "-1m"],
        ["--record", "a", "--report", "b"],
        ["-o", "yaml"],
    ],
)
def test_a_wrong_command_line_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        observe(*options)
    assert end.value.code == 2
    assert "usage: slot-coordinator observe" in capsys.readouterr().err


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        observe("--help")
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "examples:\n" in told
    assert "exit codes: 0 looked" in told


def test_an_api_server_that_is_away_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    user = {"name": "u", "user": {}}
    whole = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "c"}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **whole}))
    assert observe("--kubeconfig", str(file)) == 1
    assert "nothing is seen: could not" in capsys.readouterr().err

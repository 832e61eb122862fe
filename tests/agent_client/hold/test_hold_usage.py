"""`slot-agent hold`: what it refuses, and what it says then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agent_client.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {
    "NODE_SLOTS_URL": "http://127.0.0.1:1",
    "NODE_SLOTS_NAMESPACE": "velero",
    "NODE_NAME": "node1",
    "POD_NAMESPACE": "jobs",
    "POD_NAME": "job",
    "POD_UID": "u1",
}


@pytest.fixture(autouse=True)
def in_a_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("agent_client.hold.pulse.hold_signals_back", lambda: None)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as end:
        main(["hold", *arguments])
    return end.value.code, capsys.readouterr().err


def test_once_is_refused_with_the_reason_and_the_way_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = refusal(capsys, "--once")
    assert code == 64
    assert "ended before the Pod's own containers start" in said
    assert "`restartPolicy: Always`" in said


def test_a_missing_field_is_64_and_the_lines_to_add(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POD_UID")
    monkeypatch.delenv("NODE_NAME")
    code, said = refusal(capsys)
    assert code == 64
    assert "valueFrom: {fieldRef: {fieldPath: metadata.uid}}" in said
    assert "valueFrom: {fieldRef: {fieldPath: spec.nodeName}}" in said
    assert "metadata.name}" not in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--url", "coordinator"), "no http:// or https:// URL"),
        (("--", "true"), "slot-agent run -- CMD"),
        (("--timeout", "3"), "unrecognized arguments"),
    ],
)
def test_a_wrong_usage_is_64_and_says_what(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    code, said = refusal(capsys, *arguments)
    assert code == 64
    assert says in said


def test_a_folder_that_is_not_there_is_73(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["hold", "--state-dir", str(tmp_path / "none")]) == 73
    assert "Mount an emptyDir there" in capsys.readouterr().err


def test_status_needs_no_setting_at_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRON:
        monkeypatch.delenv(name)
    assert main(["hold", "--status", "--state-dir", str(tmp_path)]) == 3
    assert "does one run here?" in capsys.readouterr().out

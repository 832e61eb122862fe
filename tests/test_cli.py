"""The command line, and how `serve` says that it cannot start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from coordinator import cli
from coordinator.flags import load
from coordinator.run import CannotStart, _listener


def test_the_version_is_a_command_and_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"{version('node-slots')}\n"
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"{version('node-slots')}\n"


@pytest.mark.parametrize("command", [[], ["serve"], ["check"]])
def test_help_teaches_with_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command, "--help"])
    assert end.value.code == 0
    assert "examples:\n" in capsys.readouterr().out


def test_the_help_of_serve_says_who_may_do_what(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["serve", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "SECURITY: every caller shows a token" in told
    assert "kubectl auth can-i" in told
    assert "With --auth none, which works on loopback addresses only, any user" in told


@pytest.mark.parametrize(
    "flags",
    [
        ["--tls", "off"],
        ["--pool", "scans/scan-limits", "--clients", "scans/batch:5"],
    ],
)
def test_the_examples_of_serve_can_be_used(flags: list[str]) -> None:
    shown = " ".join(cli.SERVE_EXAMPLES.replace("\\\n", " ").split())
    assert " ".join(flags) in shown
    named = dict(zip(flags[::2], flags[1::2], strict=True))
    load({"namespace": "velero", **{flag[2:]: _value(flag, named[flag]) for flag in named}})


def _value(flag: str, text: str) -> str | list[str]:
    return text if flag == "--tls" else [text]


def test_wrong_settings_are_told_on_stderr_with_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["serve", "--namespace", "velero", "--listen-port", "x"]) == 2
    assert "--listen-port" in capsys.readouterr().err


async def test_a_port_that_is_taken_is_named_with_the_flag_for_another() -> None:
    from aiohttp import web

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = load({"namespace": "velero", "health_port": port})
        with pytest.raises(CannotStart, match=rf"127\.0\.0\.1 port {port}: .*--health-port"):
            await _listener(settings, "health", web.Application(), 10)


def test_a_missing_kubeconfig_ends_serve_with_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.logs.configure", lambda *_: None)
    nowhere = str(tmp_path / "config")
    flags = ["serve", "--namespace", "velero", "--kubeconfig", nowhere]
    assert cli.main(flags) == 1
    told = capsys.readouterr().out
    assert "cannot start" in told
    assert nowhere in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_completion_script_knows_the_commands_and_their_flags(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--print-completion", shell])
    assert end.value.code == 0
    script = capsys.readouterr().out
    assert "serve" in script
    assert "node-agent-configmap" in script


def test_output_that_nobody_reads_on_ends_quietly() -> None:
    program = Path(sys.executable).with_name("slot-coordinator")
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([program, "version"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == cli.PIPE_CLOSED

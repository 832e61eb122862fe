"""No server outlives the tests, however they end."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.waiting import DEADLINE
from tests.realserver import process
from tests.realserver.process import Process, free_port

REPOSITORY = Path(__file__).parents[2]
SLEEP = shutil.which("sleep") or "sleep"
# Starts a server as a test would, tells its process id, and waits to be killed.
OWNER = f"""
import pathlib, sys
from tests.realserver.process import Process
started = Process([{SLEEP!r}, "600"], pathlib.Path(sys.argv[1]))
print(started.pid, flush=True)
sys.stdin.read()
"""


def _wait_until_gone(pidfd: int) -> bool:
    ready, _, _ = select.select([pidfd], [], [], DEADLINE)
    os.close(pidfd)
    return bool(ready)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd (Linux)")
def test_a_program_ends_with_an_owner_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path / "log")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        pidfd = os.pidfd_open(int(owner.stdout.readline()))
        owner.kill()
    assert _wait_until_gone(pidfd)


def test_end_stops_the_program_and_may_be_called_again(tmp_path: Path) -> None:
    program = Process([SLEEP, "600"], tmp_path / "log")
    assert program.is_running()
    program.end()
    program.end(grace_seconds=1)
    assert not program.is_running()


def test_a_frozen_program_is_ended_too(tmp_path: Path) -> None:
    program = Process([SLEEP, "600"], tmp_path / "log")
    program.send(signal.SIGSTOP)
    program.end()
    assert not program.is_running()


def test_a_program_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing-here could not be started"):
        Process([str(tmp_path / "nothing-here")], tmp_path / "log")


def test_a_signal_to_a_program_whose_end_is_not_known_yet_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Process([SLEEP, "600"], tmp_path / "log")
    program.end()
    monkeypatch.setattr(program, "is_running", lambda: True)
    program.send(signal.SIGTERM)


def _ports(monkeypatch: pytest.MonkeyPatch, worker: str) -> set[int]:
    """What a worker of two is told, each a process of its own."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
    monkeypatch.setattr(process, "_CHOSEN", set())
    return {free_port() for _ in range(500)}


def test_no_port_is_told_twice_though_nobody_listens_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = _ports(monkeypatch, "gw0"), _ports(monkeypatch, "gw1")
    assert len(first) == len(second) == 500
    assert first.isdisjoint(second)

"""`slot-agent sidecar` as a process: it starts, serves, is killed, comes back, and ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.cli import sidecar as cli
from agent_client.cli.main import main
from agent_client.http.calls import Caller
from tests.agent_client.sidecar.coordinating import coordinating
from tests.agent_client.sidecar.line import Lines, eventually
from tests.agent_client.sidecar.node import NodeCoordinator
from tests.realserver.process import Process

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "agent_client.cli", "sidecar"]
WHERE = ["--namespace", "velero", "--node", "node1"]


def start(folder: Path, url: str, *flags: str) -> Process:
    log = folder / "log"
    command = [*COMMAND, "--url", url, *WHERE, "--listen", str(folder / "agent.sock"), *flags]
    return Process(command, log)


async def listening(folder: Path) -> Path:
    """The socket, once the process serves there."""
    log = folder / "log"
    await eventually(lambda: log.exists() and "listens at" in log.read_text())
    return folder / "agent.sock"


async def ended(process: Process) -> None:
    await eventually(lambda: not process.is_running())


def refused(*flags: str, **environ: str) -> tuple[int, str]:
    """Exit code and standard error of a sidecar that does not start."""
    done = subprocess.run(
        [*COMMAND, *flags],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environ},
    )
    return done.returncode, done.stderr


async def test_it_serves_and_at_sigterm_says_its_last_words(tmp_path: Path) -> None:
    fake = NodeCoordinator()
    async with coordinating(fake) as url:
        process = start(tmp_path, url, "--drain-seconds", "0.2")
        try:
            path = await listening(tmp_path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            async with Lines(str(path)) as lines:
                line = await lines.post("a")
                await line.reaches("granted")
                process.send(signal.SIGTERM)
                await line.reaches("ending")
                await ended(process)
            # It waits a second for the answer; a busy coordinator reads later what it was sent.
            await eventually(lambda: fake.bodies[-1]["claims"][0].get("ending") is True)
            assert (fake.held(), fake.released) == (["a"], [])
            assert not path.exists()
        finally:
            process.end()


def test_it_hears_sigterm_before_anybody_can_know_that_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PID 1 it would not hear it at all; here an earlier handler would."""
    missed: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: missed.append(number))
    said: list[str] = []

    def complain(line: str) -> None:
        said.append(line)
        signal.raise_signal(signal.SIGTERM)
        assert not missed, "it would go on for ever"

    monkeypatch.setattr(cli, "complain", complain)
    try:
        where = ["--url", "http://127.0.0.1:1", *WHERE, "--listen", str(tmp_path / "agent.sock")]
        assert main(["sidecar", *where]) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "listens at" in said[0]


async def test_killed_and_started_again_it_finds_the_named_slot(tmp_path: Path) -> None:
    fake = NodeCoordinator(limit=2)
    async with coordinating(fake) as url:
        first = start(tmp_path, url)
        try:
            async with Lines(str(await listening(tmp_path))) as lines:
                await (await lines.post("b")).reaches("granted")
                before = (await (await lines.ask("PUT", "/v1/slots/a?wait=20")).answer())[1]
                first.end()
        finally:
            first.end()
        (tmp_path / "log").unlink()
        second = start(tmp_path, url)
        try:
            async with Lines(str(await listening(tmp_path))) as lines:
                status, slot = await (await lines.ask("PUT", "/v1/slots/a?wait=20")).answer()
            assert (status, slot) == (200, before)
            assert len({body["agent"] for body in fake.bodies}) == 1
            assert len({body["boot"] for body in fake.bodies}) == 2
        finally:
            second.end()


async def test_health_may_be_looked_at_from_elsewhere_and_shows_nothing_else(
    tmp_path: Path,
) -> None:
    async with coordinating(NodeCoordinator()) as url:
        process = start(tmp_path, url, "--health-listen", "0.0.0.0:0")
        try:
            await listening(tmp_path)
            found = re.search(r"health at \S+:(\d+)", (tmp_path / "log").read_text())
            assert found is not None
            port = found[1]
            caller = Caller(f"http://127.0.0.1:{port}", None)

            async def status(path: str) -> int:
                return (await caller.call("GET", path, {}, within=30)).status

            assert [await status(path) for path in ("livez", "metrics", "v1/slots")] == [
                200,
                200,
                404,
            ]
            await caller.close()
        finally:
            process.end()


async def test_a_socket_in_use_and_a_missing_folder_are_said(tmp_path: Path) -> None:
    async with coordinating(NodeCoordinator()) as url:
        process = start(tmp_path, url)
        try:
            path = await listening(tmp_path)
            where = ["--url", url, *WHERE]
            code, text = await asyncio.to_thread(refused, *where, "--listen", str(path))
            assert (code, "another process serves at" in text) == (73, True)
            missing = str(tmp_path / "no" / "agent.sock")
            code, text = await asyncio.to_thread(refused, *where, "--listen", missing)
            assert (code, f"there is no folder {tmp_path / 'no'}" in text) == (73, True)
        finally:
            process.end()


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--listen", "0.0.0.0:80"], "can be reached from other machines"),
        (["--mode", "rw"], "write it in octal"),
        (["--ttl", "5"], "--ttl is from 10 to 3600"),
        (["--name", "a/b"], "--name has 1 to 64 of"),
        (["--drain-seconds", "-1"], "number of seconds"),
        (["--", "sleep", "1"], "runs no command"),
        ([], "NODE_SLOTS_URL"),
    ],
)
def test_wrong_usage_is_named(flags: list[str], what: str) -> None:
    given: dict[str, Any] = {"NODE_SLOTS_NAMESPACE": "velero", "NODE_NAME": "node1"}
    if flags:
        given["NODE_SLOTS_URL"] = "http://127.0.0.1:1"
    code, text = refused(*flags, **given)
    assert code == 64
    assert what in text

"""What docs/sidecar.md shows is what happens: its curl lines, sent to a sidecar."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.agent_client.sidecar.line import eventually
from tests.agent_client.sidecar.node import NodeCoordinator
from tests.agent_client.sidecar.test_sockets import serving

if TYPE_CHECKING:
    from tests.agent_client.sidecar.line import Line, Lines

DOC = Path(__file__).parents[3] / "docs" / "sidecar.md"


def shown() -> list[tuple[str, list[dict[str, Any]]]]:
    """Each command of the page, and the JSON that it is said to print."""
    blocks = re.findall(r"```console\n(.*?)```", DOC.read_text(), re.DOTALL)
    commands: list[tuple[str, list[dict[str, Any]]]] = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        else:
            commands[-1][1].append(json.loads(line))
    return commands


async def curl(lines: Lines, command: str) -> Line:
    """The request that `curl` would send."""
    parser = argparse.ArgumentParser()
    for flag in ("-s", "-N"):
        parser.add_argument(flag, action="store_true")
    for flag in ("-X", "-d", "--unix-socket"):
        parser.add_argument(flag)
    parser.add_argument("url")
    told = parser.parse_args(shlex.split(command)[1:])
    assert told.unix_socket == "/run/node-slots/agent.sock"
    url = urlsplit(told.url)
    target = f"{url.path}?{url.query}" if url.query else url.path
    method = told.X or ("POST" if told.d else "GET")
    return await lines.ask(method, target, json.loads(told.d) if told.d else None)


async def test_the_commands_print_what_the_page_says(tmp_path: Path) -> None:
    commands = shown()
    assert len(commands) == 5
    fake = NodeCoordinator()
    async with serving(tmp_path, fake) as lines:
        other = await lines.post("backup-7/pvc-1")
        await other.reaches("granted")
        stream = await curl(lines, commands[0][0])
        first, second, third = commands[0][1]
        told = await stream.reaches("queued")
        assert told | {"waitedSeconds": first["waitedSeconds"]} == first
        assert (await stream.reaches("queued")).keys() == second.keys()
        other.cut()
        assert (await stream.reaches("granted")).keys() == third.keys()
        stream.cut()
        await eventually(lambda: not fake.holders)
        for command, printed in commands[1:]:
            # A GET waits for a change, which does not come; a PUT only for its grant.
            quick = command if "-X" in command else command.replace("wait=50", "wait=1")
            status, body = await (await curl(lines, quick)).answer()
            assert status == (200 if printed else 204)
            assert (body.keys() if body else None) == (printed[0].keys() if printed else None)

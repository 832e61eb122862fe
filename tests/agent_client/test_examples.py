"""The library's examples do what they say, as they stand in the documentation."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.server import serving, url_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "examples" / "library"
LONGEST = 40

SAYS = {
    "async_client": "holding slot 0 of node1 (node1-slot-0)\nbacking up with token 1002\n",
    "blocking_client": "scanning in slot 0 of node1\n",
    "several_slots": "dump in node1-slot-0, upload in node1-slot-1\ntogether: copy, verify\n",
    "checkpoint_loop": "restoring part 0\nrestoring part 1\nrestoring part 2\n",
}


@asynccontextmanager
async def running(name: str, fake: FakeCoordinator) -> AsyncIterator[Process]:
    async with serving(fake) as server, asyncio.timeout(60):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "NODE_SLOTS_URL": url_of(server),
            "NODE_SLOTS_NAMESPACE": "velero",
            "NODE_NAME": "node1",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "error", str(FOLDER / f"{name}.py")),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.mark.parametrize("name", sorted(SAYS))
async def test_an_example_runs_says_what_it_did_and_leaves_nothing_held(name: str) -> None:
    fake = FakeCoordinator(limit=2)
    async with running(name, fake) as process:
        out, _ = await process.communicate()
        assert (out.decode(), process.returncode) == (SAYS[name], 0)
    assert fake.holders == {}


async def test_the_callbacks_of_the_example_are_told_of_a_lost_slot() -> None:
    fake = FakeCoordinator()
    async with running("callbacks", fake) as process:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"working in slot 0\n"
        fake.lose(fake.holders[0])
        out, _ = await process.communicate()
        assert out.decode() == "backup-9 lost its slot: slot lost\nstopped\n"
        assert process.returncode == 0


def test_every_example_is_tried_and_short() -> None:
    files = sorted(FOLDER.glob("*.py"))
    assert [file.stem for file in files] == sorted([*SAYS, "callbacks"])
    assert all(len(file.read_text().splitlines()) <= LONGEST for file in files)

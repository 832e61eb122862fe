"""No core dump shows an agent's token, and a command under a slot dumps as it did before."""

from __future__ import annotations

import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.hold.container import pods
from tests.agent_client.wrapper.process import PROGRAM, RUN, agent, line, outcome, python

if TYPE_CHECKING:
    from collections.abc import Iterator

HARD = resource.getrlimit(resource.RLIMIT_CORE)[1]
SOFT = 4096 if HARD == resource.RLIM_INFINITY else min(4096, HARD)
"""Bytes. What this process allows its children."""
CORES = "Max core file size"


@pytest.fixture(autouse=True)
def _some_core() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (SOFT, HARD))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def soft_limit(pid: int | str) -> str:
    found = Path(f"/proc/{pid}/limits").read_text().splitlines()
    (told,) = (row.removeprefix(CORES).split() for row in found if row.startswith(CORES))
    return told[0]


async def test_a_command_dumps_as_before_and_its_wrapper_does_not() -> None:
    told = (
        "import os, resource; print(resource.getrlimit(resource.RLIMIT_CORE)[0], os.getppid(),"
        " flush=True); input()"
    )
    async with agent(FakeCoordinator(), *python(told), command=RUN) as process:
        limit, parent = (await line(process)).split()
        assert (limit, soft_limit(parent)) == (str(SOFT), "0")
        assert int(parent) == process.pid
        process.send_signal(signal.SIGKILL)


async def test_a_command_may_still_raise_its_limit_as_far_as_before() -> None:
    told = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE)[1])"
    _, out, _ = await outcome(FakeCoordinator(), *python(told))
    assert int(out) == HARD


async def test_the_sidecar_dumps_no_core(tmp_path: Path) -> None:
    flags = ("sidecar", "--listen", f"unix:{tmp_path}/agent.sock")
    async with agent(FakeCoordinator(), *flags, command=PROGRAM) as process:
        assert process.stderr is not None
        assert b"listens" in await process.stderr.readline()
        assert soft_limit(process.pid) == "0"


async def test_hold_dumps_no_core(tmp_path: Path) -> None:
    async with pods(FakeCoordinator(), tmp_path, "job") as (job,):
        await job.start()
        await job.reaches("held")
        assert soft_limit(job.pid) == "0"

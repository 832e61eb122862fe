"""Who else there is: a wrapper that is killed, orphans that it inherits, those left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import pytest

from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.wrapper.process import (
    RUN,
    agent,
    complaint,
    line,
    outcome,
    python,
    waits_for,
)

SUBREAPER = (
    "import ctypes, os, sys\n"
    "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"  # PR_SET_CHILD_SUBREAPER lasts over exec
    "os.execv(sys.argv[1], sys.argv[1:])"
)
AS_SUBREAPER = (sys.executable, "-c", SUBREAPER, *RUN)
ORPHANS = """
import os, time
children = f"/proc/{os.getppid()}/task/{os.getppid()}/children"
for _ in range(20):
    if os.fork() == 0:
        if os.fork():
            os._exit(0)
        os._exit(7)
    os.wait()
while len(open(children).read().split()) > 1:
    time.sleep(0.01)
raise SystemExit(5)
"""
"""Ends when its parent has no child but itself: every orphan was taken up."""

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "prctl"), reason="PDEATHSIG and subreapers are Linux"
)


async def test_a_killed_wrapper_takes_its_command_with_it() -> None:
    async with agent(FakeCoordinator(), *python(waits_for(signal.SIGTERM, 0))) as process:
        assert await line(process) == "ready"
        process.kill()
        assert await line(process) == "ended"


async def test_a_wrapper_killed_in_the_queue_leaves_nobody() -> None:
    fake = FakeCoordinator(limit=0)
    async with agent(fake, "--claim", "c1", *python("print('ran')")) as process:
        assert process.stderr is not None
        await process.stderr.readline()
        process.kill()
        assert await line(process) == ""


async def test_orphans_are_taken_up_and_the_exit_code_stays_the_commands() -> None:
    code, _, err = await outcome(FakeCoordinator(), *python(ORPHANS), command=AS_SUBREAPER)
    assert (code, err) == (5, "")


async def test_who_is_left_in_the_group_of_a_command_that_ended_is_left_alone() -> None:
    left = waits_for(signal.SIGTERM, 0).replace(
        "print('ready', flush=True)\n", "import os; print(os.getpid(), flush=True)\n"
    )
    code = f"import os\nif os.fork() == 0:\n    exec({left!r})\nelse:\n    os._exit(4)"
    async with agent(FakeCoordinator(), "--json", *python(code)) as process:
        pid = int(await line(process))
        while '"exit"' not in await complaint(process):
            continue
        os.kill(pid, signal.SIGTERM)
        assert await line(process) == "ended"
        assert await process.wait() == 4

"""Signals to `slot-agent run`: who gets them, in each phase."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys

import pytest

from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.wrapper.process import agent, line, python, waits_for


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
async def test_a_signal_is_passed_on_to_the_command(number: signal.Signals) -> None:
    async with agent(FakeCoordinator(), *python(waits_for(number, 17))) as process:
        assert await line(process) == "ready"
        process.send_signal(number)
        assert await process.wait() == 17


async def test_a_signal_while_waiting_leaves_the_queue() -> None:
    fake = FakeCoordinator(limit=0)
    async with agent(fake, "--claim", "c1", *python("print('ran')")) as process:
        assert process.stderr is not None
        told = (await process.stderr.readline()).decode()
        assert told == "slot-agent: waiting at position 1: 0 of 0 slots of node1 are held\n"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 128 + signal.SIGTERM
        assert await line(process) == ""
    assert fake.queue == []
    assert "c1" in fake.released


async def test_a_signal_ignored_from_outside_stays_ignored() -> None:
    fake = FakeCoordinator(limit=0)
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with agent(fake, "--claim", "c1", *python("print('ran')")) as process:
            assert process.stderr is not None
            await process.stderr.readline()
            process.send_signal(signal.SIGHUP)
            fake.limit = 1
            fake.touch()
            assert await line(process) == "ran"
    finally:
        signal.signal(signal.SIGHUP, previous)


SCRIPT = "trap 'echo shell' USR1; {inner} & wait; wait"
INNER = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
print("inner", flush=True)
"""


async def test_a_signal_goes_to_the_whole_process_group_of_the_command() -> None:
    inner = shlex.join([sys.executable, "-c", INNER])
    flags = ("--", "/bin/sh", "-c", SCRIPT.format(inner=inner))
    async with agent(FakeCoordinator(), *flags) as process:
        assert await line(process) == "ready"
        process.send_signal(signal.SIGUSR1)
        assert {await line(process), await line(process)} == {"shell", "inner"}


async def test_the_command_has_a_process_group_of_its_own_in_the_same_session() -> None:
    code = "import os; print(os.getpgrp() == os.getpid(), os.getsid(0) == os.getsid(os.getppid()))"
    async with agent(FakeCoordinator(), *python(code)) as process:
        assert await line(process) == "True True"


async def test_the_command_blocks_and_ignores_no_signal_that_its_caller_did_not() -> None:
    """Python ignores SIGPIPE in itself, and the wrapper blocks signals; neither is passed on."""
    command = ("grep", "-E", "SigBlk|SigIgn", "/proc/self/status")
    piped = asyncio.subprocess.PIPE
    caller = await asyncio.create_subprocess_exec(*command, stdout=piped)
    expected, _ = await caller.communicate()  # make, say, lets it ignore a signal of glibc's own
    async with agent(FakeCoordinator(), "--", *command) as process:
        assert [await line(process), await line(process)] == expected.decode().splitlines()

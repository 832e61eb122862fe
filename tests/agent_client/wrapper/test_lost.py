"""`slot-agent run` when its slot is lost, or in doubt."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.wrapper.process import RUN, agent, complaint, line, python, waits_for

if TYPE_CHECKING:
    from asyncio.subprocess import Process


async def test_on_a_lost_slot_the_command_gets_term_and_the_exit_code_is_74() -> None:
    fake = FakeCoordinator()
    async with agent(fake, "--claim", "c1", *python(waits_for(signal.SIGTERM, 0))) as process:
        assert await line(process) == "ready"
        fake.lose("c1")
        assert await line(process) == "ended"
        assert await process.wait() == 74


async def test_a_command_that_ignores_term_is_killed_after_the_grace() -> None:
    fake = FakeCoordinator()
    code = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    async with agent(fake, "--claim", "c1", "--grace", "0.1", *python(code)) as process:
        assert await line(process) == "1"
        fake.lose("c1")
        assert await process.wait() == 74


async def test_with_strict_silence_past_the_ttl_ends_the_command_too() -> None:
    fake = FakeCoordinator()
    fake.longest_ttl = 2  # the shorter TTL counts: unconfirmed one second after the last answer
    flags = ("--strict", "--claim", "c1", "--grace", "60")
    command = python(waits_for(signal.SIGTERM, 0))
    # A busy machine may be silent for that second before: TERM then waits until it is ready.
    async with agent(fake, *flags, *command, command=WITH_TERM_BLOCKED) as process:
        assert await line(process) == "ready"
        fake.stop()
        assert await line(process) == "ended"
        fake.start()  # or it tries to release for twenty seconds
        assert await process.wait() == 74


BLOCKS = (
    "import os, signal, sys\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"  # it lasts over exec and fork
    "os.execv(sys.argv[1], sys.argv[1:])"
)
WITH_TERM_BLOCKED = (sys.executable, "-c", BLOCKS, *RUN)
GROUP = """
import os, signal, time
reader, writer = os.pipe()
if os.fork() == 0:
    signal.signal(signal.SIGTERM, {grandchild})
    os.write(writer, b"x")
    time.sleep(600)
os.read(reader, 1)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("ready", flush=True)
time.sleep(600)
"""
"""A command that ends at TERM and leaves a grandchild that does as told; both hold the output."""


async def test_what_the_command_leaves_in_its_group_is_killed_after_the_grace() -> None:
    fake = FakeCoordinator()
    code = GROUP.format(grandchild="signal.SIG_IGN")
    async with agent(fake, "--claim", "c1", "--grace", "0.2", *python(code)) as process:
        assert await line(process) == "ready"
        fake.lose("c1")
        assert await process.wait() == 74
        assert await line(process) == "", "the output ends only when nobody has it open"


async def test_the_grace_is_the_groups_not_only_the_commands() -> None:
    fake = FakeCoordinator()
    code = GROUP.format(
        grandchild='lambda *_: (time.sleep(0.3), print("cleaned up", flush=True), os._exit(0))'
    )
    async with agent(fake, "--claim", "c1", "--grace", "60", *python(code)) as process:
        assert await line(process) == "ready"
        fake.lose("c1")
        assert await line(process) == "cleaned up"
        assert await process.wait() == 74


async def test_a_stopped_command_hears_of_the_loss() -> None:
    fake = FakeCoordinator()
    code = "import os, signal; print(1, flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    async with agent(fake, "--claim", "c1", "--grace", "60", *python(code)) as process:
        assert await line(process) == "1"
        fake.lose("c1")
        assert await process.wait() == 74


async def test_with_warn_a_loss_is_told_and_the_exit_code_is_the_commands() -> None:
    fake = FakeCoordinator()
    flags = ("--claim", "c1", "--on-lost", "warn")
    async with agent(fake, *flags, *python(waits_for(signal.SIGUSR1, 3))) as process:
        assert await line(process) == "ready"
        fake.lose("c1")
        said = await complaint(process)
        assert said == (
            "slot-agent: slot node1-slot-0 is lost: slot lost; the command goes on without a slot"
        )
        process.send_signal(signal.SIGUSR1)
        assert await line(process) == "ended"
        assert await process.wait() == 3


class Hears:
    """Who reads what a wrapper says. On a busy machine it may be in doubt sooner than is meant."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._silent = self._doubt = False

    async def until(self, *, silent: bool, doubt: bool) -> None:
        """Until the last word is whether nobody answers, and whether the slot is in doubt."""
        while (self._silent, self._doubt) != (silent, doubt):
            said = await complaint(self._process)
            slot = "slot-agent: slot node1-slot-0 is"
            if said.startswith("slot-agent: no coordinator answers at http"):
                self._silent = True
            elif said.startswith(f"{slot} unconfirmed"):
                self._doubt = True
            elif said == f"{slot} confirmed again":
                self._doubt = False
            else:
                assert said.endswith("answers again"), said
                self._silent = False


async def test_a_slot_in_doubt_is_told_and_so_is_its_confirmation() -> None:
    fake = FakeCoordinator()
    fake.longest_ttl = 2
    async with agent(fake, *python(waits_for(signal.SIGUSR1, 0))) as process:
        assert await line(process) == "ready"
        hears = Hears(process)
        fake.stop()
        await hears.until(silent=True, doubt=True)
        fake.start()
        await hears.until(silent=False, doubt=False)
        process.send_signal(signal.SIGUSR1)
        assert await process.wait() == 0


async def test_a_standard_error_that_nobody_reads_costs_no_slot() -> None:
    """The pipe is full before the wrapper begins; what it has to say is dropped."""
    fake = FakeCoordinator()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    code = waits_for(signal.SIGTERM, 0)
    flags = ("--json", "--claim", "c1")
    async with agent(fake, *flags, *python(code), stderr=writer) as process:
        assert await line(process) == "ready"
        fake.lose("c1")
        assert await process.wait() == 74
    os.close(reader)
    os.close(writer)

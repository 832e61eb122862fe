"""At a terminal: the command has it as if the shell had started it itself."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from agent_client.clock import boottime
from tests.agent_client.fake import FakeCoordinator
from tests.agent_client.wrapper.desk import CTRL_C, CTRL_Z, desk, wrapped
from tests.agent_client.wrapper.process import python

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = """
import os, signal
seen = []
signal.signal(signal.SIGINT, lambda *_: (seen.append(1), os.write(1, b"int")))
signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"size %d %d" % os.get_terminal_size()))
os.write(1, b"ready")
os.read(0, 9)
print("count", len(seen))
"""
READS = "print('ready', flush=True); print('got', input(), flush=True)"
SLEEPS = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("ready", flush=True)
time.sleep(600)
"""
STEPS = """
import os, signal
reader, writer = os.pipe()
os.set_blocking(writer, False)
signal.set_wakeup_fd(writer)
signal.signal(signal.SIGCONT, lambda *_: None)
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"told"), os._exit(0)))
signal.signal(signal.SIGINT, lambda *_: os._exit(1))
os.write(1, b"ready")
while True:
    if os.read(reader, 1)[0] == signal.SIGCONT:
        os.write(1, b"step")
"""
"""Makes a step whenever it is continued, unless it finds SIGTERM there."""


async def test_ctrl_c_reaches_the_command_once_and_the_wrapper_not_at_all() -> None:
    async with desk(FakeCoordinator()) as at:
        over = at.asks("run", *wrapped(*python(COUNTS)))
        await at.shows("ready")
        at.type(CTRL_C)
        await at.shows("int")
        at.type("\n")
        await at.shows("count 1")
        assert await over == {"foreground": "job", "exited": 0}


async def test_who_ctrl_c_ends_ends_the_wrapper_by_the_same_signal() -> None:
    fake = FakeCoordinator()
    async with desk(fake) as at:
        over = at.asks(
            "run",
            *wrapped(
                *python(
                    SLEEPS.replace(
                        "import time", "import signal, time; signal.signal(2, signal.SIG_DFL)"
                    )
                )
            ),
        )
        await at.shows("ready")
        at.type(CTRL_C)
        assert await over == {"foreground": "job", "signalled": signal.SIGINT}
        assert fake.holders == {}


async def test_a_script_around_the_wrapper_ends_with_ctrl_c_too() -> None:
    async with desk(FakeCoordinator()) as at:
        inner = " ".join(wrapped("--", "sh", "-c", "'echo ready; exec sleep 600'"))
        over = at.asks("run", "/bin/sh", "-c", f"{inner}; echo went on")
        await at.shows("ready")
        at.type(CTRL_C)
        assert (await over)["signalled"] == signal.SIGINT
        assert "went on" not in at.screen


async def test_the_command_hears_of_a_new_window_size() -> None:
    async with desk(FakeCoordinator()) as at:
        over = at.asks("run", *wrapped(*python(COUNTS)))
        await at.shows("ready")
        at.resize(31, 77)
        await at.shows("size 77 31")
        at.type("\n")
        assert (await over)["exited"] == 0


async def test_ctrl_z_stops_the_job_and_fg_brings_it_back_with_the_terminal() -> None:
    async with desk(FakeCoordinator()) as at:
        stopped = at.asks("run", *wrapped(*python(READS)))
        await at.shows("ready")
        at.type(CTRL_Z)
        assert await stopped == {"foreground": "job", "stopped": signal.SIGTSTP}
        over = at.asks("fg")
        at.type("hello\n")
        await at.shows("got hello")
        assert await over == {"foreground": "job", "exited": 0}


async def test_a_background_job_that_reads_is_stopped_and_reads_after_fg() -> None:
    async with desk(FakeCoordinator()) as at:
        await at.order("start", *wrapped(*python(READS)))
        assert (await at.order("wait"))["stopped"] == signal.SIGTTIN
        await at.order("bg")
        assert (await at.order("wait"))["stopped"] == signal.SIGTTIN
        over = at.asks("fg")
        at.type("hello\n")
        await at.shows("got hello")
        assert (await over)["exited"] == 0


async def test_in_a_pipeline_the_terminal_is_the_pipelines_until_the_command_uses_it() -> None:
    code = (
        "import os, sys; tty = os.open('/dev/tty', os.O_RDWR);"
        "print(os.tcgetpgrp(tty) == os.getpgrp(), file=sys.stderr);"
        "os.read(tty, 100); print(os.tcgetpgrp(tty) == os.getpgrp(), 'after', file=sys.stderr)"
    )
    async with desk(FakeCoordinator()) as at:
        inner = " ".join(wrapped("--", sys.executable, "-c", f'"{code}"'))
        over = at.asks("run", "/bin/sh", "-c", f"{inner} | cat")
        await at.shows("False")
        at.type("\n")
        await at.shows("True after")
        assert (await over)["exited"] == 0


async def test_a_command_that_cannot_be_executed_leaves_the_terminal_to_us(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    plain.chmod(0o755)
    async with desk(FakeCoordinator()) as at:
        over = await at.order("run", *wrapped("--", str(plain)))
        assert over == {"foreground": "job", "exited": 126}


async def test_ctrl_z_where_no_shell_could_continue_us_changes_nothing() -> None:
    async with desk(FakeCoordinator()) as at:
        over = at.asks("become", *wrapped(*python(STEPS)))
        await at.shows("ready")
        at.type(CTRL_Z)
        await at.shows("step")
        at.type(CTRL_C)
        assert await over == {}


async def test_after_a_long_stop_a_lost_slot_ends_the_command_before_its_next_step() -> None:
    fake = FakeCoordinator()
    fake.longest_ttl = 2
    async with desk(fake) as at:
        stopped = at.asks("run", *wrapped("--claim", "c1", *python(STEPS)))
        await at.shows("ready")
        at.type(CTRL_Z)
        assert "stopped" in await stopped
        at.screen = ""
        fake.lose("c1")
        await at.passes(boottime() + fake.longest_ttl)
        assert (await at.order("fg"))["exited"] == 74
        await at.shows("told")
        assert "step" not in at.screen


async def test_after_a_long_stop_a_slot_still_held_lets_the_command_go_on() -> None:
    fake = FakeCoordinator()
    async with desk(fake) as at:
        stopped = at.asks("run", *wrapped(*python(STEPS)))
        await at.shows("ready")
        at.type(CTRL_Z)
        assert "stopped" in await stopped
        over = at.asks("fg")
        await at.shows("step")
        assert fake.holders
        at.type(CTRL_C)
        assert (await over)["exited"] == 1


async def test_the_waiting_line_updates_and_is_gone_when_the_slot_is_there() -> None:
    fake = FakeCoordinator(limit=0)
    async with desk(fake) as at:
        over = at.asks("run", *wrapped(*python("print('ran')")))
        await at.shows_times(
            r"\r\x1b\[Kslot-agent: waiting \d+:\d\d at position 1: 0 of 0 slots", 2
        )
        at.screen = ""
        fake.limit = 1
        fake.touch()
        assert (await over)["exited"] == 0
        await at.shows("ran\r\n")  # the terminal may be slower than the shell
        assert at.screen.endswith("\r\x1b[Kran\r\n")
        assert "\n" not in at.screen.removesuffix("ran\r\n")


async def test_ctrl_c_in_the_queue_leaves_it_and_wipes_the_line() -> None:
    fake = FakeCoordinator(limit=0)
    async with desk(fake) as at:
        over = at.asks("run", *wrapped("--claim", "c1", *python("print('ran')")))
        await at.shows_times(r"waiting \d+:\d\d at position 1", 1)
        at.type(CTRL_C)
        assert (await over)["signalled"] == signal.SIGINT
        await at.ends_with("\r\x1b[K")  # the terminal may be slower than the shell
        assert fake.queue == []


async def test_ctrl_z_in_the_queue_stops_the_wrapper_and_fg_goes_on_waiting() -> None:
    fake = FakeCoordinator(limit=0)
    async with desk(fake) as at:
        stopped = at.asks("run", *wrapped(*python("print('ran')")))
        await at.shows_times(r"waiting \d+:\d\d at position 1", 1)
        at.type(CTRL_Z)
        assert (await stopped)["stopped"] == signal.SIGTSTP
        fake.limit = 1
        fake.touch()
        assert (await at.order("fg"))["exited"] == 0
        await at.shows("ran")

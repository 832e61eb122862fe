"""`slot-agent run`: a command under a slot. Signals are passed on, its exit code comes back."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import contextmanager, suppress
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from agent_client.errors import CoordinatorUnavailable, Refused, SlotTimeout

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agent_client.asking import Asking
    from agent_client.client import SlotClient
    from agent_client.messages import Queued
    from agent_client.slot import Slot


class Exit(IntEnum):
    """The wrapper's own exit codes. Every other one is the command's."""

    USAGE = 64
    INTERNAL = 70
    LOST = 74
    NOT_GRANTED = 75
    REFUSED = 76
    NOT_EXECUTABLE = 126
    NOT_FOUND = 127
    SIGNALLED = 128
    """Plus the signal's number."""


FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})
"""A terminal sends these to its whole foreground group, the command included."""


class _Phase(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    LEAVING = "leaving"


class Run:
    """One wrapped command.

    `say` gets plain lines about the waiting, `complain` what went wrong. On a lost slot (with
    `strict` on an unconfirmed one, too) the command gets TERM, and KILL `grace` seconds later.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        say: Callable[[str], None],
        complain: Callable[[str], None],
        strict: bool = False,
        grace: float = 10.0,
    ) -> None:
        self._command = command
        self._say = say
        self._complain = complain
        self._strict = strict
        self._grace = grace
        self._phase = _Phase.WAITING
        self._received: list[int] = []
        self._code: int | None = None
        self._child: Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def under(self, client: SlotClient, load: str, asking: Asking) -> int:
        """Wait for the slot, run the command, give the slot back. Returns the exit code."""
        if missing := unusable(self._command[0]):
            return self._fail(*missing)
        asking["on_queued"] = self._tell_place
        self._task = asyncio.create_task(self._hold(client, load, asking))
        with _handled(self._on_signal):
            try:
                await self._task
            except asyncio.CancelledError:
                if self._code is None and self._received:
                    return Exit.SIGNALLED + self._received[0]
            except (SlotTimeout, CoordinatorUnavailable) as error:
                return self._fail(Exit.NOT_GRANTED, str(error))
            except Refused as error:
                return self._fail(Exit.REFUSED, str(error))
        return Exit.INTERNAL if self._code is None else self._code

    async def _hold(self, client: SlotClient, load: str, asking: Asking) -> None:
        async with client.slot(load=load, **asking) as slot:
            await asyncio.sleep(0)  # a signal that came together with the grant ends it here
            self._phase = _Phase.RUNNING
            self._code = await self._run(slot)
            self._phase = _Phase.LEAVING

    async def _run(self, slot: Slot[asyncio.Event]) -> int:
        if not slot.governed:
            self._complain("no coordinator answers: running without a slot")
        try:
            environment = child_environment(os.environ, slot)
            child = await asyncio.create_subprocess_exec(*self._command, env=environment)
        except FileNotFoundError as error:
            return self._fail(Exit.NOT_FOUND, f"{self._command[0]}: {error.strerror}")
        except OSError as error:
            return self._fail(Exit.NOT_EXECUTABLE, f"{self._command[0]}: {error.strerror}")
        self._child = child
        for number in self._received:
            self._pass_on(number)
        return await self._watch(child, slot)

    async def _watch(self, child: Process, slot: Slot[asyncio.Event]) -> int:
        """Until the command ends, or has to end. Returns the exit code."""
        ended = asyncio.create_task(child.wait())
        alarms = [asyncio.create_task(slot.lost.wait())]
        if self._strict:
            alarms.append(asyncio.create_task(slot.unconfirmed.wait()))
        await asyncio.wait({ended, *alarms}, return_when=asyncio.FIRST_COMPLETED)
        for alarm in alarms:
            alarm.cancel()
        if ended.done():
            return exit_code(ended.result())
        self._complain(f"slot {slot.lease} is {slot.state}: ending the command")
        self._pass_on(signal.SIGTERM)
        await asyncio.wait({ended}, timeout=self._grace)
        if not ended.done():
            self._pass_on(signal.SIGKILL)
        await ended
        return Exit.LOST

    def _on_signal(self, number: int) -> None:
        if self._phase is not _Phase.RUNNING:
            self._received.append(number)
            if self._task is not None:  # a second signal ends the leaving as well
                self._task.cancel()
        elif self._child is None:
            self._received.append(number)
        elif not (number in FROM_TERMINAL and in_foreground()):
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.send_signal(number)

    def _tell_place(self, place: Queued) -> None:
        holders = ", ".join(sorted(holder.load for holder in place.holders))
        held = f" (held by {holders})" if holders else ""
        self._say(f"waiting at position {place.position}: {place.reason}{held}")

    def _fail(self, code: Exit, why: str) -> int:
        self._complain(why)
        return code


def unusable(program: str) -> tuple[Exit, str] | None:
    """Why `program` cannot be run, before anybody waits for a slot for it; None when it can."""
    if shutil.which(program) is not None:
        return None
    if os.sep in program and os.path.exists(program):  # noqa: PTH110 - a name, not a path object
        return Exit.NOT_EXECUTABLE, f"{program}: not an executable file"
    return Exit.NOT_FOUND, f"{program}: command not found"


def exit_code(returned: int) -> int:
    """The shell's view of a return code: 128 plus the signal when one ended the command."""
    return Exit.SIGNALLED - returned if returned < 0 else returned


def child_environment(environ: Mapping[str, str], slot: Slot[asyncio.Event]) -> dict[str, str]:
    """`environ` with SLOT_* telling of `slot`; those of an outer slot are gone."""
    told = {
        "SLOT_GOVERNED": "true" if slot.governed else "false",
        "SLOT_NAMESPACE": slot.namespace,
        "SLOT_NODE": slot.node,
        "SLOT_LOAD": slot.load,
        "SLOT_CLAIM": slot.claim,
        "SLOT_ORDINAL": slot.ordinal,
        "SLOT_LEASE": slot.lease,
        "SLOT_FENCING_TOKEN": slot.fencing_token,
    }
    rest = {name: value for name, value in environ.items() if name not in told}
    return {**rest, **{name: str(value) for name, value in told.items() if value is not None}}


def in_foreground() -> bool:
    """Whether a terminal sends its own signals to us, and so to the command as well."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def _handled(handler: Callable[[int], None]) -> Iterator[None]:
    """Signals go to `handler`. What was ignored from outside (nohup) stays ignored."""
    loop = asyncio.get_running_loop()
    numbers = [n for n in FORWARDED if signal.getsignal(n) is not signal.SIG_IGN]
    for number in numbers:
        loop.add_signal_handler(number, handler, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)

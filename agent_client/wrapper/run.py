"""One wrapped command, from the queue to its exit code.

`launch` starts the command, `child` is its process group, `job` keeps it one job with us for the
shell, `alarm` watches its slot, `telling` and `line` say what happens.
"""

from __future__ import annotations

import asyncio
import os
import signal
from enum import Enum
from typing import TYPE_CHECKING, Any

from agent_client.clock import boottime
from agent_client.cores import leave_no_core
from agent_client.errors import (
    CoordinatorUnavailable,
    Refused,
    SlotLost,
    SlotTimeout,
    SlotUnconfirmed,
)
from agent_client.session import State
from agent_client.wrapper.alarm import Rules, must_end
from agent_client.wrapper.child import KILLED_WITHIN, Child, reap
from agent_client.wrapper.command import child_environment, unusable
from agent_client.wrapper.exits import Exit, exit_code
from agent_client.wrapper.job import Job
from agent_client.wrapper.signals import ENDING, WHILE_RUNNING, blocked, handled
from agent_client.wrapper.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_client.asking import Asking
    from agent_client.client import SlotClient
    from agent_client.slot import AsyncSlot
    from agent_client.wrapper.telling import Teller

_CONFIRMED_WITHIN = 3.0
"""Seconds that a command stopped by ctrl-Z stays stopped after `fg` for the coordinator's word."""


class _Phase(Enum):
    WAITING = "waiting"
    RUNNING = "running"
    LEAVING = "leaving"


class Run:
    """One wrapped command."""

    def __init__(self, command: Sequence[str], teller: Teller, rules: Rules | None = None) -> None:
        self._command = command
        self._teller = teller
        self._rules = rules or Rules()
        self._terminal = Terminal.open()
        self._cores = leave_no_core()
        self._phase = _Phase.WAITING
        self._received: list[int] = []
        self._code: int | None = None
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self.interrupted: bool | None = None
        """Set when ctrl-C ended it: whether the command was the only one to get that ctrl-C."""

    async def under(self, client: SlotClient, load: str, asking: Asking) -> int:
        """Wait for the slot, run the command, give the slot back. Returns the exit code."""
        code = await self._under(client, load, asking)
        self._teller.note("exit", code=code)
        return code

    async def _under(self, client: SlotClient, load: str, asking: Asking) -> int:
        if missing := unusable(self._command[0]):
            return self._fail(*missing)
        asking["on_queued"] = self._teller.queued
        self._task = asyncio.create_task(self._hold(client, load, asking))
        with (
            handled([signal.SIGCHLD], lambda _: reap(self._child)),
            handled(ENDING, self._on_signal),
        ):
            try:
                await self._task
            except asyncio.CancelledError:
                return self._cut_short()
            except SlotTimeout as error:
                silent = client.silent_since is not None
                why = "no coordinator answers" if silent else "none is free"
                return self._fail(Exit.NOT_GRANTED, f"{error}: {why}")
            except CoordinatorUnavailable as error:
                return self._fail(Exit.NOT_GRANTED, str(error))
            except Refused as error:
                return self._fail(Exit.REFUSED, str(error))
        return Exit.INTERNAL if self._code is None else self._code

    async def _hold(self, client: SlotClient, load: str, asking: Asking) -> None:
        ticking = asyncio.create_task(self._tick(client))
        try:
            async with client.slot(load=load, **asking) as slot:
                ticking.cancel()
                await asyncio.sleep(0)  # a signal that came together with the grant ends it here
                self._phase = _Phase.RUNNING
                self._code = await self._run(slot)
                self._phase = _Phase.LEAVING
                self._teller.note("leaving", lease=slot.lease)
        finally:
            ticking.cancel()
            self._teller.stop_waiting()

    async def _tick(self, client: SlotClient) -> None:
        while True:
            await asyncio.sleep(self._teller.every)
            since = client.silent_since
            self._teller.tick(None if since is None else boottime() - since)

    async def _run(self, slot: AsyncSlot) -> int:
        if slot.governed:
            self._teller.granted(slot)
        self._teller.stop_waiting()
        if not slot.governed:
            self._teller.trouble("ungoverned", "no coordinator answers: running without a slot")
        job = Job(self._terminal, lambda: self._may_go_on(slot))
        # TTOU: what we say while the command has the terminal must not stop us (stty tostop).
        with blocked(signal.SIGTTOU) as mask:
            try:
                return await self._start(slot, job, mask)
            except FileNotFoundError as error:
                return self._fail(Exit.NOT_FOUND, f"{self._command[0]}: {error.strerror}")
            except OSError as error:
                return self._fail(Exit.NOT_EXECUTABLE, f"{self._command[0]}: {error.strerror}")
            finally:
                job.close()

    async def _start(self, slot: AsyncSlot, job: Job, mask: set[int]) -> int:
        from agent_client.wrapper.launch import launch

        environment = child_environment(os.environ, slot)
        pid = launch(self._command, environment, job.terminal_for_start, mask, self._cores)
        self._child = Child(pid, job.on_stop)
        job.begin(self._child)
        self._teller.note("started", pid=pid)
        for number in self._received:
            self._child.signal(number)
        with (
            handled(WHILE_RUNNING, self._child.signal),
            handled([signal.SIGCONT], lambda _: job.on_continue()),
        ):
            return await self._watch(self._child, slot, job)

    async def _watch(self, child: Child, slot: AsyncSlot, job: Job) -> int:
        """Until the command ends, or has to end. Returns the exit code."""
        alarm = asyncio.create_task(must_end(slot, self._rules, self._teller))
        both: tuple[asyncio.Future[Any], ...] = (child.ended, alarm)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if child.ended.done():
            alarm.cancel()
            return self._ended(child.ended.result(), job)
        event, reason = alarm.result()
        self._teller.trouble(event, f"{reason}: ending the command", ends=True)
        job.end()
        if not await child.end(self._rules.grace):
            await self._outlive(child, slot)
        # Said twice, since a program that draws on the whole screen has wiped the first.
        self._teller.trouble("ended", f"{reason}: the command was ended")
        return Exit.LOST

    async def _outlive(self, child: Child, slot: AsyncSlot) -> None:
        """Who hangs in the kernel, or is another user's, is still a load: its slot is kept.

        Returns when nobody of the group is left, or the slot is not ours to keep.
        """
        self._teller.trouble("stuck", f"process group {child.pid} does not end though killed")
        while slot.state is not State.LOST and not await child.gone(KILLED_WITHIN):
            continue

    async def _may_go_on(self, slot: AsyncSlot) -> bool:
        """While we were stopped nobody renewed: whether the slot is still ours comes first.

        Waits for the coordinator's word, but not for ever: the rules say what a silence means.
        """
        try:
            await slot.checkpoint(timeout=_CONFIRMED_WITHIN)
        except SlotUnconfirmed:
            return True
        except SlotLost:
            return self._rules.on_lost == "warn"
        return True

    def _ended(self, status: int, job: Job) -> int:
        if self._terminal and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT:
            self.interrupted = job.had_terminal or (False if self._terminal.is_ours else None)
        return exit_code(status)

    def _cut_short(self) -> int:
        """A signal ended the waiting, or a second one the leaving."""
        if self._code is not None:
            return self._code
        if not self._received:
            return Exit.INTERNAL
        if self._received[0] == signal.SIGINT and self._terminal and self._terminal.is_ours:
            self.interrupted = False
        return Exit.SIGNALLED + self._received[0]

    def _on_signal(self, number: int) -> None:
        if self._phase is not _Phase.RUNNING:
            self._received.append(number)
            if self._task is not None:  # a second signal ends the leaving as well
                self._task.cancel()
        elif self._child is None:
            self._received.append(number)
        else:
            self._child.signal(number)

    def _fail(self, code: Exit, why: str) -> int:
        self._teller.trouble("error", why)
        return code

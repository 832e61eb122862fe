"""The job between the shell and the command, on a machine that stands still at the wrong moment."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, cast

import pytest

from agent_client.wrapper import job as module
from agent_client.wrapper.job import Job
from agent_client.wrapper.signals import handled

if TYPE_CHECKING:
    from agent_client.wrapper.child import Child
    from agent_client.wrapper.terminal import Terminal


class Ours:
    """A terminal with our group in its foreground."""

    is_ours = True

    def is_left_to(self, group: int | None) -> bool:
        return True

    def give(self, group: int) -> bool:
        return True

    def take_back(self, group: int | None) -> None:
        return


class Told:
    """A command that remembers its signals."""

    def __init__(self) -> None:
        self.pid = 1
        self.signals: list[int] = []

    def signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN])
async def test_who_is_continued_late_is_not_taken_for_one_whom_nobody_can_stop(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """The signal and the end of the time come in one turn; else the command would go on unasked."""
    monkeypatch.setattr(module, "_NEVER_STOPPED", 0.0)
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    # The shell's `fg`, in place of our stop: there is no shell here to continue us.
    monkeypatch.setattr(signal, "pthread_kill", lambda *_: signal.raise_signal(signal.SIGCONT))
    asked = asyncio.Event()

    async def may_go_on() -> bool:
        asked.set()
        return False

    command = Told()
    job = Job(cast("Terminal", Ours()), may_go_on)
    job.begin(cast("Child", command))
    monkeypatch.setattr(Job, "_lend", lambda _: False)
    with handled([signal.SIGCONT], lambda _: job.on_continue()):
        job.on_stop(number)
        await asked.wait()
        for _ in range(5):
            await asyncio.sleep(0)
    job.close()
    assert command.signals == []


async def test_a_command_that_nobody_can_stop_goes_on_after_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "killpg", lambda *_: None)
    monkeypatch.setattr(signal, "pthread_kill", lambda *_: None)
    went_on = asyncio.Event()

    async def may_go_on() -> bool:
        raise AssertionError("nobody continued us")

    command = Told()
    monkeypatch.setattr(command, "signal", lambda _: went_on.set())
    job = Job(cast("Terminal", Ours()), may_go_on)
    job.begin(cast("Child", command))
    job.on_stop(signal.SIGTSTP)
    await went_on.wait()
    job.close()

"""Job control: the command stops and goes on as if the shell had started it itself.

The command's group is not the group that the shell knows, which is ours. So what the kernel and the
shell do to one of the two is done to the other: the command stops, we take the terminal back and
stop our own group, and the shell sees its job stopped; the shell continues us (`fg`, `bg`), and we
continue the command, with the terminal where we were given it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING

from agent_client.wrapper.terminal import is_interactive

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_client.wrapper.child import Child
    from agent_client.wrapper.terminal import Terminal

_FOR_THE_TERMINAL = frozenset({signal.SIGTTIN, signal.SIGTTOU})
"""The kernel stops a background group with these when it uses the terminal."""
_NEVER_STOPPED = 0.2
"""Seconds after which a stop of ours that did not come will not come: the kernel lets nobody stop
whose group no shell looks after (`docker run -it`, a session's first process)."""


class Job:
    """The command as the shell's job. `may_go_on` is asked before a stopped command goes on."""

    def __init__(self, terminal: Terminal | None, may_go_on: Callable[[], Awaitable[bool]]) -> None:
        self._terminal = terminal
        self._may_go_on = may_go_on
        self._wants_terminal = terminal is not None and is_interactive()
        self._check: asyncio.Handle | None = None
        self._resuming: asyncio.Task[None] | None = None
        self._child: Child | None = None
        self._ending = False

    @property
    def terminal_for_start(self) -> int | None:
        """The terminal that the command is to take as it starts; None when it is not to."""
        terminal = self._terminal
        return terminal.fd if terminal and self._wants_terminal and terminal.is_ours else None

    @property
    def had_terminal(self) -> bool:
        """Whether the command's group is in the foreground, or was when it ended."""
        return bool(self._terminal and self._child and self._terminal.is_left_to(self._child.pid))

    def begin(self, child: Child) -> None:
        """`child` runs."""
        self._child = child

    def end(self) -> None:
        """The command is to end now: it may stop, but that stops nobody else any more."""
        self._ending = True

    def close(self) -> None:
        """The command is over: its terminal is ours again."""
        if self._terminal:
            self._terminal.take_back(self._child.pid if self._child else None)
        for pending in (self._check, self._resuming):
            if pending is not None:
                pending.cancel()

    def on_stop(self, number: int) -> None:
        """The command was stopped by signal `number`."""
        if self._terminal is None or self._child is None or self._ending:
            return  # whoever stopped it will continue it
        if number in _FOR_THE_TERMINAL:
            self._wants_terminal = True
            if self._lend():
                self._child.signal(signal.SIGCONT)
                return
        if number != signal.SIGSTOP or self.had_terminal:
            self._stop_ourselves(number)

    def on_continue(self) -> None:
        """Somebody continued us."""
        if self._check is not None:
            self._check.cancel()
        if self._resuming is None or self._resuming.done():
            self._resuming = asyncio.ensure_future(self._resume())

    async def _resume(self) -> None:
        if await self._may_go_on() and self._child is not None:
            self._lend()
            self._child.signal(signal.SIGCONT)

    def _lend(self) -> bool:
        """Bring the command to the foreground if we are there and it uses the terminal."""
        if not (self._terminal and self._child and self._wants_terminal):
            return False
        return self._terminal.is_ours and self._terminal.give(self._child.pid)

    def _stop_ourselves(self, number: int) -> None:
        """Returns after we were continued, or at once when nobody can stop us.

        The whole group stops, as ctrl-Z would have stopped it: a script that runs us, too. Our own
        stop goes to this thread, so that it has come before the next line.
        """
        if self._terminal and self._child:
            self._terminal.take_back(self._child.pid)
        stop = signal.SIGTTIN if number == signal.SIGTTIN else signal.SIGTSTP
        before = signal.signal(stop, signal.SIG_IGN)
        os.killpg(0, stop)
        signal.signal(stop, signal.SIG_DFL)
        signal.pthread_kill(threading.get_ident(), stop)
        signal.signal(stop, before)
        # Not before: `on_continue` is called first, whatever the time is when we are continued.
        loop = asyncio.get_running_loop()
        self._check = loop.call_later(_NEVER_STOPPED, self._time_is_up, number)

    def _time_is_up(self, number: int) -> None:
        """A turn of the loop later than the timer: on a busy machine the loop may hear of the time
        and of the signal that continued us in one turn, and it calls a signal's handler last.
        """
        self._check = asyncio.get_running_loop().call_soon(self._go_on, number)

    def _go_on(self, number: int) -> None:
        """We were not stopped. A command that waits for the terminal would wait for ever."""
        if self._child is not None:
            if number in _FOR_THE_TERMINAL:
                self._child.signal(signal.SIGHUP)  # as the kernel does to stopped orphans
            self._lend()
            self._child.signal(signal.SIGCONT)

"""The command's process group, and all that ends or stops below us."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_SHORTEST_LOOK, _LONGEST_LOOK = 0.01, 0.2
"""Seconds between two looks whether a group is empty; nobody tells when it is."""
KILLED_WITHIN = 1.0
"""Seconds to wait for a killed group: whoever is still there then hangs in the kernel."""


class Child:
    """The running command. `ended` gets its wait status, `on_stop` each signal that stopped it."""

    def __init__(self, pid: int, on_stop: Callable[[int], None]) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._on_stop = on_stop

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; no matter when there is none any more.

        A member that runs as somebody else (sudo) may not be ours to signal: the others are.
        """
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def changed(self, status: int) -> None:
        """The kernel told `status` of the command itself."""
        if os.WIFSTOPPED(status):
            self._on_stop(os.WSTOPSIG(status))
        elif not os.WIFCONTINUED(status):
            self.ended.set_result(status)

    async def end(self, grace: float) -> bool:
        """TERM to the group, KILL `grace` seconds later to what is left.

        Returns whether nobody is left then. The grace is the group's: a shell may die of TERM at
        once while what it runs cleans up.
        """
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process hears of TERM only then
        if await self.gone(grace):
            return True
        self.signal(signal.SIGKILL)
        return await self.gone(KILLED_WITHIN)

    async def gone(self, within: float) -> bool:
        """Whether nobody is left in the group within so many seconds."""
        loop, pause = asyncio.get_running_loop(), _SHORTEST_LOOK
        until = loop.time() + within
        while not (self.ended.done() and self._is_empty()):
            if loop.time() >= until:
                return False
            await asyncio.sleep(min(pause, until - loop.time()))
            pause = min(2 * pause, _LONGEST_LOOK)
        return True

    def _is_empty(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False


def reap(child: Child | None) -> None:
    """Take up every child that ended or stopped; call this at SIGCHLD.

    The command's own status goes to `child`. Anybody else is an orphan that was given to us, as
    PID 1 of a container or as a subreaper, and whom nobody else will take up.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if child is not None and pid == child.pid:
            child.changed(status)

"""All waiting of hold: for a socket, for time, for a signal. Meanwhile somebody looks."""

from __future__ import annotations

import math
import select
import signal
import socket
from typing import TYPE_CHECKING

from agent_client.clock import boottime

if TYPE_CHECKING:
    from collections.abc import Callable

ENDING = (signal.SIGTERM, signal.SIGINT)
LONGEST_NAP = 5.0
"""Seconds between two looks at the clock: the kernel's timers stand still while it sleeps."""


class Ended(Exception):
    """A signal says that it is time to go."""


def hold_signals_back() -> None:
    """Let no signal be lost before somebody can take it: the kernel drops those of a PID 1."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


class Pulse:
    """Waits, and calls `look` between; that returns when to be called again.

    `now` is the clock that all deadlines are measured on.
    """

    def __init__(self, look: Callable[[], float], clock: Callable[[], float] = boottime) -> None:
        self._look = look
        self.now = clock
        self._poll = select.poll()
        self._woken, self._waker = socket.socketpair()

    def open(self) -> None:
        """From now on a signal ends the waiting. Only the main thread may do this."""
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._poll.register(self._woken, select.POLLIN)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in ENDING:
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def close(self) -> None:
        """Signals are nobody's business any more; the process is about to end."""
        signal.set_wakeup_fd(-1)
        self._woken.close()
        self._waker.close()

    def nap(self, until: float) -> None:
        """Wait until then at the longest. Raises `Ended`."""
        self._rest(until)

    def ready(self, file: int, events: int, deadline: float) -> None:
        """Wait until `file` is ready for `events`.

        Raises:
            TimeoutError: the deadline passed.
            Ended: a signal came.
        """
        self._poll.register(file, events)
        try:
            while not self._rest(deadline):
                if self.now() >= deadline:
                    raise TimeoutError("no answer in time")
        finally:
            self._poll.unregister(file)

    def _rest(self, until: float) -> bool:
        """One wait. Returns whether the file is ready."""
        awake = min(until, self._look(), self.now() + LONGEST_NAP)
        milliseconds = math.ceil(max(0.0, awake - self.now()) * 1000)
        found = [fd for fd, _ in self._poll.poll(milliseconds)]
        if self._woken.fileno() in found:
            self._woken.recv(64)
            raise Ended
        return bool(found)

"""The signals that the wrapper hears, and what it passes on."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ENDING = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
"""They end the waiting, as they would end any program; a command that runs gets them instead."""
WHILE_RUNNING = (signal.SIGWINCH, signal.SIGTSTP)
"""Passed on too, but of no meaning before a command runs: then we stop and go on by ourselves."""


@contextmanager
def handled(numbers: Sequence[signal.Signals], handler: Callable[[int], None]) -> Iterator[None]:
    """Signals go to `handler`, in the loop. What was ignored from outside (nohup) stays ignored."""
    loop = asyncio.get_running_loop()
    heard = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, handler, number)
    try:
        yield
    finally:
        for number in heard:
            loop.remove_signal_handler(number)


@contextmanager
def blocked(*numbers: signal.Signals) -> Iterator[set[int]]:
    """Signals are blocked in this thread. Yields those that were blocked before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

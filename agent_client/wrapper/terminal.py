"""The controlling terminal: which process group is in its foreground."""

from __future__ import annotations

import os
import signal
import stat
from typing import Self


class Terminal:
    """The terminal that this process's session has, open as `fd`."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def open(cls) -> Self | None:
        """The controlling terminal; None where there is none, as in nearly every Pod."""
        try:
            return cls(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            return None

    @property
    def foreground(self) -> int | None:
        """The process group in the foreground; None when the terminal has hung up."""
        try:
            return os.tcgetpgrp(self.fd)
        except OSError:
            return None

    @property
    def is_ours(self) -> bool:
        """Whether our own group is in the foreground."""
        return self.foreground == os.getpgrp()

    def give(self, group: int) -> bool:
        """Bring `group` to the foreground. Returns whether that worked.

        Whoever does that from the background gets SIGTTOU, unless it is blocked.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            os.tcsetpgrp(self.fd, group)
        except OSError:
            return False
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return True

    def is_left_to(self, group: int | None) -> bool:
        """Whether `group`, or nobody at all, is in the foreground."""
        now = self.foreground
        return now is not None and (now == group or not _exists(now))

    def take_back(self, group: int | None) -> None:
        """Bring our own group to the foreground if `group`, or nobody, is there.

        Any other group is the shell's choice, or another job of its.
        """
        if self.is_left_to(group):
            self.give(os.getpgrp())


def is_interactive() -> bool:
    """Whether a command with our input and output would use the terminal by itself.

    In a pipeline the terminal belongs to another part of it more often than not: with
    `slot-agent run -- zcat log.gz | less` it is the pager's. (sudo draws the same line.)
    """
    try:
        return os.isatty(0) and not stat.S_ISFIFO(os.fstat(1).st_mode)
    except OSError:  # closed
        return False


def _exists(group: int) -> bool:
    if group == 0:  # the terminal's word for nobody
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

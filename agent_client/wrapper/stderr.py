"""Standard error, in a way that can neither block nor end the wrapper."""

from __future__ import annotations

import os
import select

_FD = 2
_LONGEST_WAIT = 50
"""Milliseconds. Who reads slower than that misses a line."""


class Stderr:
    """A `Screen`, and the place for every other line.

    A pipe that nobody reads and a terminal stopped by ctrl-S would block a write, and with it the
    renewals: the load would lose its slot for a line of text. So what cannot be written is dropped.
    """

    def write(self, text: str) -> None:
        """Show `text`, or drop it."""
        data = text.encode("utf-8", "replace")
        poll = select.poll()
        poll.register(_FD, select.POLLOUT)
        try:
            if poll.poll(_LONGEST_WAIT):
                os.write(_FD, data[: select.PIPE_BUF])  # more could block
        except OSError:  # closed, or the disk is full
            return

    def write_line(self, line: str) -> None:
        """Show `line` and end it."""
        self.write(f"{line}\n")

    @property
    def width(self) -> int:
        """As in `Screen`; 80 where the terminal does not know it."""
        try:
            return os.get_terminal_size(_FD).columns or 80
        except OSError:
            return 80

    @property
    def is_ours(self) -> bool:
        """As in `Screen`."""
        try:
            return os.tcgetpgrp(_FD) == os.getpgrp()
        except OSError:  # another session's terminal: nobody there has a foreground to lose
            return True

    @property
    def updates(self) -> bool:
        """Whether it is a terminal that can wipe a line."""
        return os.isatty(_FD) and os.environ.get("TERM", "dumb") != "dumb"

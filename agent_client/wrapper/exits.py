"""The exit codes of `slot-agent run`, and the one end that is no exit code."""

from __future__ import annotations

import os
import signal
from enum import IntEnum


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


def exit_code(status: int) -> int:
    """The shell's view of a wait status: 128 plus the signal when one ended the command."""
    code = os.waitstatus_to_exitcode(status)
    return Exit.SIGNALLED - code if code < 0 else code


def die_of_interrupt(group: bool) -> int:
    """End as a program does that ctrl-C ended: a shell looks at that, not at the exit code.

    A script or a loop goes on after a command that *exits* with 130; it stops after one that SIGINT
    killed while the shell got one, too. A command that had the terminal was the only one to get
    ctrl-C, so with `group` the rest of our process group hears of it now. Returns 130 where the
    signal kills nobody: PID 1 is immune.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    (os.killpg if group else os.kill)(os.getpgrp() if group else os.getpid(), signal.SIGINT)
    return Exit.SIGNALLED + signal.SIGINT

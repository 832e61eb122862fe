"""From fork to exec: what only the command's own process can do before it is the command.

Three things have to happen in the child before it runs: it becomes the leader of a process group,
takes the terminal, and asks the kernel for SIGTERM should the wrapper die (PR_SET_PDEATHSIG). The
ways to get there, weighed:

- `subprocess` knows the group only, and its `preexec_fn` is a fork with Python in the child, too;
  its asyncio form cannot tell that a child was *stopped*, which job control lives from.
- A shim that does the three and execs the command costs a second Python start with every load.
- So: our own fork. Only the main thread forks (PDEATHSIG follows the *thread* that forked, and it
  lives as long as the process). Another thread may exist (the resolver's), so the child takes no
  lock and imports nothing: all it needs was found before the fork. Every signal is blocked over the
  fork, since a handler inherited from the wrapper would write into the wrapper's own wake-up pipe.

Files that were open across our own exec stay open, as with flock, env and timeout: the make
jobserver and `9>lock` go through.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, NoReturn

from agent_client.cores import dump_as
from agent_client.wrapper.command import find
from agent_client.wrapper.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from agent_client.cores import CoreLimits

_PR_SET_PDEATHSIG = 1
_RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Python ignores these in itself. A program expects their defaults."""


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    terminal: int | None,
    mask: set[int],
    cores: CoreLimits,
) -> int:
    """Start `command` in a process group of its own; returns its process id, which is the group's.

    Its group gets the terminal open as `terminal`, if any; `mask` are the signals blocked in it,
    `cores` its limits of core dumps, which the wrapper has none of.
    Raises `OSError` when the command cannot be executed.
    """
    path = find(command[0], environment) or command[0]
    parent, tell_death = os.getpid(), _death_teller()
    outcome, report = os.pipe()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(path, command, environment, (parent, tell_death, terminal, mask, cores, report))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(report)
    with os.fdopen(outcome, "rb") as told:  # ends when exec closes the other side
        failure = told.read()
    if failure:
        os.waitpid(pid, 0)
        raise OSError(int(failure), os.strerror(int(failure)), command[0])
    return pid


def _become(
    path: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    how: tuple[int, Callable[[], None], int | None, set[int], CoreLimits, int],
) -> NoReturn:
    """The child's side; SIGTTOU is blocked like all others, so that it may take the terminal."""
    parent, tell_death, terminal, mask, cores, report = how
    try:
        os.setpgid(0, 0)
        if terminal is not None:
            _take(terminal)
        tell_death()
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)  # it died before we asked to be told
        dump_as(cores)
        _default_signals()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execve(path, list(command), environment)  # noqa: S606 - a command needs no shell
    except OSError as error:
        os.write(report, str(error.errno).encode())
    finally:
        os._exit(Exit.NOT_FOUND)


def _take(terminal: int) -> None:
    try:
        os.tcsetpgrp(terminal, os.getpgrp())
    except OSError:  # hung up: the command finds out by itself
        return


def _default_signals() -> None:
    """What is pending meets the default now, as it would a moment after exec."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)) or number in _RESTORED:
            signal.signal(number, signal.SIG_DFL)


def _death_teller() -> Callable[[], None]:
    """What asks the kernel, in the child, for SIGTERM at the wrapper's death.

    Linux only; elsewhere it does nothing. `ctypes` costs 3 ms, and nobody else here needs it.
    """
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is None:
        return lambda: None
    prctl.argtypes = (ctypes.c_int, *([ctypes.c_ulong] * 4))
    return lambda: prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)

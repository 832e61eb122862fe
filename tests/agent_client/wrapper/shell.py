"""A shell with job control and one job: `python shell.py FD`, with a terminal as its input.

Reads orders from the socket FD, a line each, and answers each with a line of JSON:

- `["run", COMMAND...]` starts the job in the foreground; `start`, in the background.
- `["become", COMMAND...]` runs it in the shell's place. Nobody answers that.
- `["fg"]`, `["bg"]` continue it. `["wait"]` waits for it wherever it is.

`run`, `fg` and `wait` are answered when the job ends or stops: `{"exited": 3}`, `{"signalled": 2}`
or `{"stopped": 20}`, with `"foreground"`: `"job"` when the terminal was the job's at that moment.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import termios
from typing import Any

TERMINAL = 0


class Shell:
    """The session's leader; its job's process group is `job`."""

    def __init__(self) -> None:
        self.job = 0
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        fcntl.ioctl(TERMINAL, termios.TIOCSCTTY, 0)
        os.tcsetpgrp(TERMINAL, os.getpgrp())

    def obey(self, order: str, command: list[str]) -> dict[str, Any]:
        if order == "become":
            os.execv(command[0], command)
        if order in {"run", "start"}:
            self._begin(command, foreground=order == "run")
        if order == "fg":
            os.tcsetpgrp(TERMINAL, self.job)
        if order in {"fg", "bg"}:
            os.killpg(self.job, signal.SIGCONT)
        return {} if order in {"start", "bg"} else self._wait()

    def close(self) -> None:
        if self.job:
            os.killpg(self.job, signal.SIGKILL)
            os.waitpid(self.job, 0)

    def _begin(self, command: list[str], foreground: bool) -> None:
        self.job = os.fork()
        if self.job == 0:
            os.setpgid(0, 0)
            if foreground:
                os.tcsetpgrp(TERMINAL, os.getpgrp())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execv(command[0], command)

    def _wait(self) -> dict[str, Any]:
        _, status = os.waitpid(self.job, os.WUNTRACED)
        foreground = os.tcgetpgrp(TERMINAL)
        os.tcsetpgrp(TERMINAL, os.getpgrp())
        told: dict[str, Any] = {"foreground": "job" if foreground == self.job else foreground}
        if os.WIFSTOPPED(status):
            return told | {"stopped": os.WSTOPSIG(status)}
        self.job = 0
        if os.WIFSIGNALED(status):
            return told | {"signalled": os.WTERMSIG(status)}
        return told | {"exited": os.WEXITSTATUS(status)}


def main() -> None:
    orders = socket.socket(fileno=int(sys.argv[1])).makefile("rw")
    shell = Shell()
    try:
        for line in orders:
            order, *command = json.loads(line)
            orders.write(json.dumps(shell.obey(order, command)) + "\n")
            orders.flush()
    finally:
        shell.close()


if __name__ == "__main__":
    main()

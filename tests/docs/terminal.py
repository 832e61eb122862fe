"""A terminal with a shell in it, as a reader of the tutorial has one."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

START_SECONDS = END_SECONDS = 60.0
PROMPT = "\x1dready\x1d"
SHELL = """\
import fcntl, os, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
termios.tcsetwinsize(0, (50, 200))
os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])
"""
"""The terminal has to be the session's own, or there is neither Ctrl-C nor job control."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_JOBS = re.compile(r"^\[\d+\][-+]? +(?:Terminated|Done|Exit \d+|Running) .*")
"""What the shell says of a job that ended, whenever it next has a word."""


class Terminal:
    """An interactive bash. Closing it hangs up, which ends all that runs in it.

    A killed test lets go of it as well: nothing outlives its terminal.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self._shell = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SHELL],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**environ, "PS1": PROMPT, "TERM": "xterm"},
            start_new_session=True,
        )
        os.close(slave)
        self._text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._from = 0
        self.type("stty -echo", time.monotonic() + START_SECONDS)
        self.waits_for_a_command(time.monotonic() + START_SECONDS)

    def type(self, line: str, deadline: float) -> None:
        """Type a command, as soon as the shell waits for one."""
        self.waits_for_a_command(deadline)
        self._from = len(self._text)
        self._write(line + "\n")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._write("\x03")

    def waits_for_a_command(self, deadline: float) -> None:
        """Wait for the prompt."""
        while not self.ended:
            assert time.monotonic() < deadline, f"it has not ended: {self.lines()}"
            self.listen(0.5)

    @property
    def ended(self) -> bool:
        """Whether the last command has."""
        return PROMPT in self._text[self._from :]

    def listen(self, seconds: float) -> None:
        """Read what comes next, if something comes by then."""
        if select.select([self._master], [], [], seconds)[0]:
            with suppress(OSError):  # the shell is gone; its end is noticed elsewhere
                self._text += self._decoder.decode(os.read(self._master, 65536))

    def lines(self) -> list[str]:
        """What was shown since the last command; of a line that was drawn anew, each version."""
        shown = _ESCAPES.sub("\r", self._text[self._from :]).replace(PROMPT, "")
        parts = [part.strip() for part in re.split(r"[\r\n]+", shown)]
        return [part for part in parts if part and not _JOBS.match(part)]

    def close(self) -> None:
        """End what runs in the foreground, then hang up, and wait for the shell."""
        deadline = time.monotonic() + END_SECONDS
        while not self.ended and time.monotonic() < deadline:
            self.interrupt()
            self.listen(1.0)
        os.close(self._master)
        try:
            self._shell.wait(10)
        except subprocess.TimeoutExpired:
            self._shell.kill()
            self._shell.wait()

    def _write(self, text: str) -> None:
        os.write(self._master, text.encode())

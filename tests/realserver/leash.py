"""Runs a program that dies with whoever started it: `python leash.py COMMAND...`.

Its standard input is the leash. When that closes, for whatever reason (a test process that is
killed runs no clean-up), the program is killed. The kernel's own PDEATHSIG alone would not do: it
fires when the *thread* that started the program ends, and tests start servers from worker threads.
The program's process id is the one line on standard output.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def _die_with_the_leash() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> int:
    """Waits for the program; what comes back is its exit code, 128 + signal when killed by one."""
    child = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        preexec_fn=_die_with_the_leash,  # noqa: PLW1509 - there is no second thread yet
    )
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()

    def wait_for_the_end() -> None:
        # Not through sys.stdin: its lock, held by this thread, would abort the exit (SIGABRT).
        while os.read(0, 1024):
            pass
        child.kill()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())

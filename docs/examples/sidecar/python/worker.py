"""Runs a command for each of some loads, each under a slot of this node, taken from the sidecar.

    python worker.py [--socket PATH] [--at-once N] LOAD... -- COMMAND [ARGUMENT...]

A command that outlives this process, because that was killed, keeps its slot until it has ended.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import slots

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 10
"""Seconds between TERM and KILL for a command whose slot was lost."""
USAGE = "worker.py [--socket PATH] [--at-once N] LOAD... -- COMMAND [ARGUMENT...]"

logger = logging.getLogger("worker")


class Command:
    """The command of one load: started once, unless it was told to end before."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.Lock()

    def run(self, command: list[str], slot: slots.Slot, load: str) -> int:
        """The exit code; negative when a signal ended the command."""
        environment = {**os.environ, **slot.environment, "SLOT_LOAD": load}
        with self._lock:
            if self._ended:
                return -signal.SIGTERM
            self._child = subprocess.Popen(  # noqa: S603 - the command line of whoever runs this
                command, env=environment, pass_fds=[slot.fileno()]
            )
        return self._child.wait()

    def end(self) -> None:
        """TERM, and KILL when that does not help. The command is gone afterwards."""
        with self._lock:
            self._ended = True
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(GRACE)
            except subprocess.TimeoutExpired:
                self._child.kill()


class Worker:
    """Runs `command` for each load under a slot, in daemon threads: the end frees the waiting."""

    def __init__(self, sidecar: slots.Sidecar, command: list[str]) -> None:
        self.failed = False
        self._sidecar = sidecar
        self._command = command
        self._running: list[Command] = []
        self._stopping = False

    def run(self, loads: list[str], at_once: int) -> None:
        """Until every load has ended."""
        waiting = iter(loads)
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    load = next(waiting, None)
                if load is None:
                    return
                self._under_slot(load)

        threads = [threading.Thread(target=work, daemon=True) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self) -> None:
        """End the commands that run, start no more."""
        self._stopping = True
        for command in list(self._running):
            command.end()

    def _under_slot(self, load: str) -> None:
        command = Command()
        self._running.append(command)
        if self._stopping:
            command.end()
        try:
            code = self._run(load, command)
        except slots.NoSlot as error:
            logger.error("%s: no slot: %s", load, error)  # noqa: TRY400 - no traceback for a "no"
            code = -1
        self._running.remove(command)
        if code:
            logger.error("%s: ended with %d", load, code)
            self.failed = True

    def _run(self, load: str, command: Command) -> int:
        """Outlives a sidecar that is not up yet, or restarts."""
        while True:
            try:
                with self._sidecar.slot(load, _tell(load), command.end) as slot:
                    return command.run(self._command, slot, load)
            except slots.NoSidecar as error:
                logger.warning("%s: %s; trying again", load, error)
                time.sleep(1)


def _tell(load: str) -> Callable[[slots.Status], None]:
    def tell(line: slots.Status) -> None:
        place = f"place {line['position']}: {line['reason']}" if "position" in line else ""
        logger.info("%s: %s %s", load, line["state"], place or line.get("lease") or "")

    return tell


def main(arguments: list[str]) -> int:
    """0 when every load's command ended well."""
    parser = argparse.ArgumentParser(usage=USAGE)
    parser.add_argument("--socket", default=slots.DEFAULT_SOCKET)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("loads", nargs="+")
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[:end])
    if not (command := arguments[end + 1 :]):
        parser.error("no command after --")
    worker = Worker(slots.Sidecar(options.socket), command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        worker.run(options.loads, options.at_once)
    finally:
        worker.stop()
    return 1 if worker.failed else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sys.exit(main(sys.argv[1:]))

"""What hold leaves in its folder: `hold.json` for whoever asks, `granted`, and the probe's `gate`.

`gate` is a FIFO with something in it exactly while `granted` is there: whoever reads a byte of it
waits until the load may start. So a startup probe is one process that sleeps, and not one process
each second (measured: a tenth of a core for each Pod that waits).
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_client.hold.record import Record

RECORD = "hold.json"
GRANTED = "granted"
GATE = "gate"
READS = 4096
"""Bytes in the open gate: the kubelet's probe takes one, and again after each of its restarts."""


class Unwritable(Exception):
    """The folder cannot be used; the message says what to do."""


class Files:
    """The folder `--state-dir`. It outlives the container where it is an emptyDir."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._granted: bool | None = None
        self._gate: int | None = None
        """The open gate's descriptor: what is in a FIFO is gone when nobody has it open."""

    def open(self) -> Record:
        """Take back what an earlier container may have left as `granted`, and return its record.

        Raises:
            Unwritable: nothing can be written there.
        """
        try:
            self.allow(may_run=False)
            self.write(found := self.read() or {})
        except OSError as error:
            raise Unwritable(
                f"cannot write to {self._folder}: {error.strerror}. "
                "Mount an emptyDir there in the hold container (or name another --state-dir)"
            ) from error
        return found

    def read(self) -> Record | None:
        """The record; None when there is none that can be read."""
        try:
            found = json.loads((self._folder / RECORD).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, record: Record) -> None:
        """Replace the record, so that no reader ever sees half of one. Raises OSError."""
        half = self._folder / f".{RECORD}.new"
        half.write_text(json.dumps(record) + "\n")
        half.replace(self._folder / RECORD)

    def allow(self, *, may_run: bool) -> None:
        """Make `granted` be there, and `gate` open, exactly while the load may start.

        Raises OSError.
        """
        if may_run is self._granted:
            return
        path = self._folder / GRANTED
        if may_run:
            path.touch()
        else:
            path.unlink(missing_ok=True)
        self._turn(open_it=may_run)
        self._granted = may_run

    def _turn(self, *, open_it: bool) -> None:
        path = self._folder / GATE
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        if self._gate is not None:
            os.close(self._gate)
            self._gate = None
        if open_it:
            # For both sides, so that opening waits for nobody and the bytes stay.
            self._gate = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            os.write(self._gate, b"\n" * READS)


def process_started(pid: int) -> str | None:
    """When the process began, in the kernel's own count: a number given anew is told apart by it.

    None when there is no such process.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


def signature() -> Record:
    """What tells this process from every other one of the machine."""
    return {"pid": os.getpid(), "started": process_started(os.getpid())}


def is_alive(record: Record) -> bool:
    """Whether the process that wrote the record still runs."""
    started = record.get("started")
    return started is not None and process_started(int(record["pid"])) == started

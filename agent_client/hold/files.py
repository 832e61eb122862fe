"""What hold leaves in its folder: `hold.json` for whoever asks, and `granted` for the probe."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_client.hold.record import Record

RECORD = "hold.json"
GRANTED = "granted"


class Unwritable(Exception):
    """The folder cannot be used; the message says what to do."""


class Files:
    """The folder `--state-dir`. It outlives the container where it is an emptyDir."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._granted: bool | None = None

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
        """Make `granted` be there exactly while the load may start. Raises OSError."""
        if may_run is self._granted:
            return
        path = self._folder / GRANTED
        if may_run:
            path.touch()
        else:
            path.unlink(missing_ok=True)
        self._granted = may_run


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

"""What a coordinator's log says, and when: both are on one machine, so its clock is ours."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60.0
"""Seconds within which something has to be said."""


class Unsaid(Exception):
    """It was not said in time."""


def said(log: Path, event: str, after: float = 0.0, pause: float = 0.02) -> float:
    """The wall time, as `time.time` gives it, of the first such event after that time.

    Waits for it. Raises `Unsaid`.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        times = (_when(line, event) for line in log.read_text().splitlines())
        if (at := next((at for at in times if at > after), 0.0)) > 0.0:
            return at
        if time.monotonic() >= deadline:
            raise Unsaid(f"{log.name} says nothing of {event!r}")
        time.sleep(pause)


def _when(line: str, event: str) -> float:
    """The time of the event in a line; 0 where it tells of something else."""
    if event not in line:
        return 0.0
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:  # half a line: the rest is being written
        return 0.0
    is_it = told.get("event") == event
    return datetime.fromisoformat(told["timestamp"]).timestamp() if is_it else 0.0

"""The two clocks: one that only moves on, for decisions, and the wall's, for people who read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coordinator.kube.microtime import microtime

if TYPE_CHECKING:
    from collections.abc import Callable


def boottime() -> float:
    """Seconds on CLOCK_BOOTTIME, which goes on while the machine sleeps; else monotonic."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def wall() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Both clocks, to be replaced in tests."""

    now: Callable[[], float] = boottime
    wall: Callable[[], datetime] = wall

    def stamp(self, ago: float = 0.0) -> str:
        """The wall time `ago` seconds ago as a MicroTime."""
        return microtime(self.wall().timestamp() - ago)

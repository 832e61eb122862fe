"""The clock that every deadline here is measured on."""

from __future__ import annotations

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Seconds on CLOCK_BOOTTIME, which goes on while the machine sleeps (design, section 7).

    Where the system has none: CLOCK_MONOTONIC.
    """
    return time.clock_gettime(_CLOCK)

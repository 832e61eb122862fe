"""Times as people read them."""

from __future__ import annotations

from datetime import datetime

from coordinator.core.words import two_units

MINUTE, HOUR, DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """A length of time, in two units at most: 8s, 3m10s, 2h5m, 3d4h."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return two_units(whole, MINUTE, "m", 1, "s")
    if whole < DAY:
        return two_units(whole, HOUR, "h", MINUTE, "m")
    return two_units(whole, DAY, "d", HOUR, "h")


def clock(at: float) -> str:
    """The time of the day, here."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def moment(at: float) -> str:
    """Day and time, here."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")

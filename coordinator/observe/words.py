"""Times and numbers as people read them."""

from __future__ import annotations

from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86400


def span(seconds: float) -> str:
    """A length of time, in two units at most: 8s, 3m10s, 2h5m, 3d4h."""
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return _two(whole, MINUTE, "m", 1, "s")
    if whole < DAY:
        return _two(whole, HOUR, "h", MINUTE, "m")
    return _two(whole, DAY, "d", HOUR, "h")


def clock(at: float) -> str:
    """The time of the day, here."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def moment(at: float) -> str:
    """Day and time, here."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def count(number: int, noun: str) -> str:
    """1 node, 2 nodes."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _two(whole: int, big: int, its: str, small: int, other: str) -> str:
    rest = whole % big // small
    return f"{whole // big}{its}" + (f"{rest}{other}" if rest else "")

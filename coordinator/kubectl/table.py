"""Tables as kubectl prints them: headers in capitals, three spaces, no borders, short ages. Pure.

Nothing is cut: what is copied from a table has to be whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.words import two_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NONE, UNKNOWN = "<none>", "<unknown>"
"""As kubectl says that there is nothing, and that it is not known."""
_GAP = "   "
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]], *, headers: bool = True
) -> list[str]:
    """The lines of a table, none without rows; an empty or missing cell says `<none>`."""
    cells = [[cell(one) for one in row] for row in rows]
    if not cells:
        return []
    shown = [list(header), *cells] if headers else cells
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [_line(row, widths) for row in shown]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (text.ljust(width) for text, width in zip(row, widths, strict=True))
    return _GAP.join(padded).rstrip()


def cell(value: object) -> str:
    """One value on one line; names that others chose can hold no terminal's commands."""
    text = "" if value is None else str(value)
    return plain(text) or NONE


def plain(text: str) -> str:
    """The text without what a terminal would obey: control characters become `?`."""
    return "".join(char if char.isprintable() else "?" for char in text)


def fields(pairs: Iterable[tuple[str, object]]) -> list[str]:
    """Lines of `Name:   value` in one column, as `kubectl describe` prints them; None leaves one
    out, and of a value of several lines each stands under the first.
    """
    shown = [(name, value) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in shown), default=0) + 1
    lines = []
    for name, value in shown:
        first, *more = str(value).split("\n")
        lines.append(f"{name + ':':<{width}}{_GAP}{cell(first)}")
        lines += [f"{'':<{width}}{_GAP}{plain(line)}" for line in more]
    return lines


def age(seconds: float | None) -> str:
    """A length of time as kubectl prints an AGE (apimachinery's `duration.HumanDuration`)."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return two_units(whole, _MINUTE, "m", 1, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return two_units(whole, _HOUR, "h", _MINUTE, "m")
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    return _days(whole)


def _days(whole: int) -> str:
    if whole < 8 * _DAY:
        return two_units(whole, _DAY, "d", _HOUR, "h")
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    if whole < 8 * _YEAR:
        return two_units(whole, _YEAR, "y", _DAY, "d")
    return f"{whole // _YEAR}y"


def count(number: int, noun: str) -> str:
    """1 node, 2,000 nodes."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

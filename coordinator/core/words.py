"""Numbers and names as sentences and tables have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """1 node, 2 nodes."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def names(found: Sequence[str], most: int = 3, number: int = 0) -> str:
    """The first of the names, and how many more there are, of `number` in all."""
    more = (number or len(found)) - most
    return ", ".join(found[:most]) + (f" and {more} more" if more > 0 else "")


def two_units(whole: int, big: int, its: str, small: int, other: str) -> str:
    """Whole seconds in units of `big` and of `small` seconds: 3m10s, or 3m."""
    rest = whole % big // small
    return f"{whole // big}{its}" + (f"{rest}{other}" if rest else "")

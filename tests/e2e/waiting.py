"""Waiting for the event itself, with a deadline that only a fault reaches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

DEADLINE = 60.0
"""Seconds. Nothing here takes that long; a machine under load may make it look so."""
_BETWEEN_LOOKS = 0.03


def until(
    look: Callable[[], T], what: str, seconds: float = DEADLINE, between: float = _BETWEEN_LOOKS
) -> T:
    """What `look` returns as soon as that is true. Fails the case at the deadline.

    A look that costs much is taken less often: `between` seconds lie between two.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; now {seen!r}"
        time.sleep(between)
    return seen

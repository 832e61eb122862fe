"""Kubernetes' MicroTime as text: always six fractional digits and `Z`."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime


def microtime(seconds: float) -> str:
    """`seconds` since 1970 in UTC, as the API server itself writes a MicroTime."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    return text.removesuffix("+00:00") + "Z"


def elapsed(since: str, at: datetime) -> float | None:
    """Seconds from the MicroTime `since` to `at`, not below 0; None where it is none."""
    with suppress(ValueError, TypeError):
        return max(0.0, (at - datetime.fromisoformat(since)).total_seconds())
    return None

"""Kubernetes' MicroTime as text: always six fractional digits and `Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def microtime(seconds: float) -> str:
    """`seconds` since 1970 in UTC, as the API server itself writes a MicroTime."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Kubernetes' MicroTime, written and read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from coordinator.kube.microtime import elapsed, microtime

AT = datetime(2026, 1, 5, 10, 0, 1, 500_000, UTC)


def test_a_whole_second_has_its_six_digits_too() -> None:
    assert microtime(1767607200) == "2026-01-05T10:00:00.000000Z"


def test_time_since_is_in_seconds_and_never_negative() -> None:
    assert elapsed(microtime(1767607200), AT) == 1.5
    assert elapsed(microtime(1767607205), AT) == 0.0


@pytest.mark.parametrize("text", ["", "then", "2026-01-05T10:00:00", "2026-13-05T10:00:00Z"])
def test_what_is_no_time_has_no_time_since(text: str) -> None:
    assert elapsed(text, AT) is None

"""Waits grow to a cap, never fall below a second, and obey the server."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from coordinator.kube.backoff import CAP, Backoff


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_every_wait_lies_between_one_second_and_the_cap(seed: int, failures: int) -> None:
    backoff = Backoff(Random(seed))
    assert all(1.0 <= backoff.next() <= CAP for _ in range(failures))


@given(st.integers(0, 2**32))
def test_a_long_outage_waits_long_and_a_success_starts_anew(seed: int) -> None:
    backoff = Backoff(Random(seed))
    waits = [backoff.next() for _ in range(10)]
    assert waits[0] < 1.7
    assert waits[-1] > 18
    backoff.reset()
    assert backoff.next() < 1.7


def test_retry_after_is_a_lower_bound() -> None:
    backoff = Backoff(Random(1))
    assert backoff.next(retry_after=45.0) == 45.0
    assert backoff.next(retry_after=0.0) >= 1.0


def test_two_streams_do_not_wait_alike() -> None:
    assert Backoff(Random(1)).next() != Backoff(Random(2)).next()

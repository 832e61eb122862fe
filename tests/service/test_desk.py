"""Who waits at a desk: woken by what changes, by a newer request, or by time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.core.slots import NodeTable
from coordinator.service.desk import BEAT, Desk, Waiter
from tests.service.jumps import Jumps

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pytest

LONG = 3600.0
FINE = 0.01
"""Seconds."""


async def started(work: Coroutine[object, object, frozenset[str]]) -> asyncio.Task[frozenset[str]]:
    """The wait, as far as it gets alone."""
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    return task


async def test_a_change_told_before_the_wait_is_not_slept_over() -> None:
    waiter = Waiter()
    waiter.tell("a")
    assert await waiter.wait(LONG) == {"a"}


async def test_each_change_is_told_once() -> None:
    waiter = Waiter()
    waits = await started(waiter.wait(LONG))
    waiter.tell("a")
    waiter.tell("b")
    assert await waits == {"a", "b"}
    assert await waiter.wait(0.0) == set()


async def test_who_was_dismissed_never_waits_again() -> None:
    waiter = Waiter()
    waits = await started(waiter.wait(LONG))
    waiter.dismiss()
    assert await waits == set()
    assert await waiter.wait(LONG) == set()


async def test_a_change_after_a_cancelled_wait_is_kept_for_the_next() -> None:
    waiter = Waiter()
    waits = await started(waiter.wait(LONG))
    waits.cancel()
    await asyncio.wait([waits])
    waiter.tell("a")
    assert await waiter.wait(LONG) == {"a"}


async def test_all_who_wait_for_a_claim_are_told_and_nobody_who_parted() -> None:
    desk = Desk(NodeTable("node1", 1, 0.0))
    first, second, gone = Waiter(), Waiter(), Waiter()
    for waiter in (first, gone, second):
        desk.join(waiter, ["a", "b"])
    desk.part(gone, ["a", "b"])
    desk.tell("b")
    assert [set(one.changed) for one in (first, second, gone)] == [{"b"}, {"b"}, set()]
    desk.part(first, ["a", "b"])
    desk.part(second, ["a", "b"])
    assert desk.empty


async def test_long_waits_end_together_and_never_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is answered with sixty others costs a quarter of who is answered alone."""
    jumps = Jumps(monkeypatch)
    ended: list[tuple[float, float]] = []

    async def wait() -> None:
        begun = jumps.now()
        await Waiter().wait(20.0)
        ended.append((begun, jumps.now()))

    waits = []
    for _ in range(10):
        waits.append(asyncio.create_task(wait()))
        await jumps.advance(BEAT / 5)
    await jumps.advance(19.0)
    while len(ended) < len(waits):
        await jumps.advance(FINE)
    assert all(20.0 - BEAT <= end - begun <= 20.0 + FINE for begun, end in ended)
    assert len({end for _, end in ended}) <= 3


async def test_a_short_wait_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    jumps = Jumps(monkeypatch)
    waits = [asyncio.create_task(Waiter().wait(0.5))]
    await jumps.advance(0.5 - FINE)
    assert not waits[0].done()
    await jumps.advance(2 * FINE)
    assert waits[0].done()

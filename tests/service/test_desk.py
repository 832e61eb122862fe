"""Who waits at a desk: woken by what changes, by a newer request, or by time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.core.slots import NodeTable
from coordinator.service.desk import Desk, Waiter

if TYPE_CHECKING:
    from collections.abc import Coroutine

LONG = 3600.0


async def started(work: Coroutine[object, object, set[str]]) -> asyncio.Task[set[str]]:
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
    assert (first.changed, second.changed, gone.changed) == ({"b"}, {"b"}, set())
    desk.part(first, ["a", "b"])
    desk.part(second, ["a", "b"])
    assert desk.empty

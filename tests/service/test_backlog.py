"""Work for many nodes goes in slices, and whoever needs a node finds its work done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.service.backlog import TURN, Backlog

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Worker:
    """Gets through three nodes in a slice."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.finished: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.backlog = Backlog(self._do, self._now, self._spawn, self._finish)
        self._time = 0.0

    def _do(self, node: str) -> None:
        self.done.append(node)
        self._time += TURN / 2.5

    def _now(self) -> float:
        return self._time

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        self.tasks.append(asyncio.ensure_future(work))

    def _finish(self) -> None:
        self.finished.append(len(self.done))

    async def rest(self) -> None:
        for task in self.tasks:
            await task


async def test_a_small_backlog_is_done_at_once() -> None:
    worker = Worker()
    worker.backlog.put("ab")
    assert (worker.done, worker.finished, worker.tasks) == (["a", "b"], [2], [])


async def test_others_get_a_turn_after_each_slice() -> None:
    worker, seen = Worker(), []
    worker.backlog.put("abcdefgh")
    while worker.backlog.left:
        seen.append(len(worker.done))
        await asyncio.sleep(0)
    await worker.rest()
    assert seen[:2] == [3, 3]  # the task that goes on begins with a turn for the others
    assert len(set(seen)) > 1
    assert worker.done == list("abcdefgh")
    assert worker.finished == [8]


async def test_a_node_that_is_needed_is_done_at_once_and_only_once() -> None:
    worker = Worker()
    worker.backlog.put("abcdefgh")
    worker.backlog.bring("h")
    assert worker.done == ["a", "b", "c", "h"]
    worker.backlog.bring("h")
    await worker.rest()
    assert worker.done == ["a", "b", "c", "h", "d", "e", "f", "g"]


async def test_newer_work_takes_the_place_of_what_is_left() -> None:
    worker = Worker()
    worker.backlog.put("abcdefgh")
    worker.backlog.put("xyza")
    assert worker.backlog.left == {"x", "y", "z", "a"}
    await worker.rest()
    assert worker.done == ["a", "b", "c", "x", "y", "z", "a"]
    assert (worker.finished, len(worker.tasks)) == ([7], 1)


async def test_a_later_backlog_goes_on_by_itself_again() -> None:
    worker = Worker()
    worker.backlog.put("abcde")
    await worker.rest()
    worker.backlog.put("fghij")
    await worker.rest()
    assert worker.done == list("abcdefghij")
    assert worker.finished == [5, 10]

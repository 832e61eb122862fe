"""Virtual time and processes: what the simulator stands on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulation.loop import Process, SpinsError, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.dispose()


def run(loop: VirtualLoop, work: Coroutine[Any, Any, Any]) -> Any:
    return loop.run_until_complete(work)


async def ticks(told: list[float], loop: VirtualLoop) -> None:
    while True:
        await asyncio.sleep(1)
        told.append(loop.time())


def test_an_hour_passes_in_no_time(loop: VirtualLoop) -> None:
    run(loop, asyncio.sleep(3600))
    assert loop.time() == pytest.approx(3600)


def test_a_paused_process_does_nothing_while_its_clock_goes_on(loop: VirtualLoop) -> None:
    process, told = Process("p", loop, 500.0), list[float]()

    async def story() -> None:
        process.start(ticks(told, loop))
        await asyncio.sleep(2.5)
        process.pause()
        await asyncio.sleep(10)
        assert len(told) == 2
        assert process.now() == pytest.approx(512.5)
        process.resume()
        await asyncio.sleep(1.1)

    run(loop, story())
    assert told == pytest.approx([1, 2, 12.5, 13.5])
    assert process.stopped == pytest.approx(10)


def test_a_killed_process_never_goes_on_and_says_no_last_words(loop: VirtualLoop) -> None:
    process, told = Process("p", loop, 0.0), list[float]()

    async def talks() -> None:
        try:
            await ticks(told, loop)
        finally:
            told.append(-1)

    async def story() -> None:
        process.start(talks())
        await asyncio.sleep(1.5)
        process.kill()
        await asyncio.sleep(5)
        process.resume()
        await asyncio.sleep(5)

    run(loop, story())
    assert told == pytest.approx([1])


def test_other_processes_and_the_world_go_on(loop: VirtualLoop) -> None:
    paused, told = Process("p", loop, 0.0), list[float]()

    async def story() -> None:
        paused.pause()
        Process("q", loop, 0.0).start(ticks(told, loop))
        loop.in_world(0.5, told.append, 0.5)
        await asyncio.sleep(1.5)

    run(loop, story())
    assert told == pytest.approx([0.5, 1])


def test_what_a_process_starts_belongs_to_it(loop: VirtualLoop) -> None:
    process, told = Process("p", loop, 0.0), list[float]()

    async def parent() -> None:
        child = asyncio.create_task(ticks(told, loop))
        await child

    async def story() -> None:
        process.start(parent())
        await asyncio.sleep(1.5)
        process.pause()
        await asyncio.sleep(5)

    run(loop, story())
    assert told == pytest.approx([1])


def test_something_that_spins_without_time_passing_is_told(loop: VirtualLoop) -> None:
    async def spins() -> None:
        while True:  # noqa: ASYNC110 - that is the point
            await asyncio.sleep(0)

    with pytest.raises(SpinsError, match="rounds at 0"):
        run(loop, spins())


def test_a_wait_too_short_for_the_clock_still_moves_it(loop: VirtualLoop) -> None:
    async def short() -> None:
        until = loop.time() + 1e-5
        while loop.time() < until:  # noqa: ASYNC110 - that is the point
            await asyncio.sleep(1e-15)

    run(loop, short())
    assert loop.time() >= 1e-5


def test_sets_of_tasks_are_walked_in_the_order_of_their_making(loop: VirtualLoop) -> None:
    async def story() -> list[int]:
        tasks = [asyncio.create_task(asyncio.sleep(0)) for _ in range(50)]
        found = [tasks.index(task) for task in set(tasks)]
        await asyncio.gather(*tasks)
        return found

    assert run(loop, story()) == sorted(run(loop, story()))

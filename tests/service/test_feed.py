"""The last happenings are kept in order, and whoever is behind by more learns it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from coordinator.core.happenings import HoldChanged
from coordinator.service.feed import KEPT, Feed

AT = datetime(2026, 1, 5, tzinfo=UTC)


def feed(*reasons: str) -> Feed:
    made = Feed(lambda: AT, lambda: 7)
    for reason in reasons:
        made.take(HoldChanged("node1", reason))
    return made


def reasons(made: Feed, number: int) -> list[str] | None:
    found = made.since(number)
    return None if found is None else [one.happening.reason for one in found]  # type: ignore[union-attr]


def test_what_came_after_a_number_is_told_in_order() -> None:
    made = feed("a", "b", "c")
    assert [reasons(made, number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c"],
        ["c"],
        [],
    ]


@pytest.mark.parametrize("number", [4, -1, -5])
def test_a_number_that_was_never_given_is_not_known(number: int) -> None:
    assert feed("a", "b", "c").since(number) is None


def test_so_many_are_kept_and_no_more() -> None:
    made = feed(*map(str, range(KEPT + 3)))
    assert made.since(2) is None
    assert len(made.since(3) or ()) == KEPT
    assert made.entry(3) is None
    assert made.entry(4) is not None


def test_an_entry_tells_when_it_was_and_how_far_the_numbers_had_come() -> None:
    entry = feed("a").entry(1)
    assert entry is not None
    assert (entry.number, entry.at, entry.numbers, entry.text) == (1, AT, 7, b"")


async def test_everybody_who_waits_is_woken_by_news_and_by_the_end() -> None:
    made = feed()
    waiting = [asyncio.create_task(made.news(60)) for _ in range(3)]
    await asyncio.sleep(0)
    made.take(HoldChanged("node1", "x"))
    await asyncio.gather(*waiting)
    last = asyncio.create_task(made.news(60))
    await asyncio.sleep(0)
    made.end()
    await last
    assert made.ended


async def test_without_news_a_wait_ends_by_its_time() -> None:
    await feed().news(0)

"""Questions that are asked at once."""

from __future__ import annotations

import asyncio

import pytest

from coordinator.kubectl.together import together


class _RefusedError(Exception):
    pass


async def test_the_answers_come_in_the_order_of_the_questions() -> None:
    assert await together(asyncio.sleep(0, "late"), _answer("soon")) == ["late", "soon"]


async def test_an_error_is_told_once_every_question_has_ended() -> None:
    ended: list[str] = []

    async def slow() -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        ended.append("slow")

    with pytest.raises(_RefusedError):
        await together(_refuse(), slow())
    assert ended == ["slow"]


async def _answer(text: str) -> str:
    return text


async def _refuse() -> None:
    raise _RefusedError

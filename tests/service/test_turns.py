"""Whoever looks through thousands of nodes lets others go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.service import turns
from coordinator.service.turns import Turns

if TYPE_CHECKING:
    import pytest


async def goes_on() -> bool:
    """Whether somebody else did something while a look had the chance to let them."""
    others: list[int] = []
    look = Turns()
    asyncio.get_running_loop().call_soon(others.append, 1)
    await look.give()
    return others == [1]


async def test_a_look_that_had_its_turn_lets_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)
    assert await goes_on()


async def test_a_short_look_is_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", 60.0)
    assert not await goes_on()

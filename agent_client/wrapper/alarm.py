"""Watches the slot while the command runs, and says when the command has to end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agent_client.slot import AsyncSlot
    from agent_client.wrapper.telling import Teller

_LOOK = 0.5
"""Seconds between two looks whether an unconfirmed slot is confirmed again."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What happens to the command when its slot is in doubt.

    `on_lost`: end it, or only say so. `strict`: an unconfirmed slot counts as lost. `grace`:
    seconds between TERM and KILL.
    """

    on_lost: Literal["terminate", "warn"] = "terminate"
    strict: bool = False
    grace: float = 10.0


async def must_end(slot: AsyncSlot, rules: Rules, teller: Teller) -> tuple[str, str]:
    """Returns once the command has to end: the event's name, and the reason for people.

    Until then it tells what happens to the slot.
    """
    if not slot.governed:  # there is nothing to lose
        return await _never()
    lost = asyncio.create_task(slot.lost.wait())
    try:
        while True:
            unconfirmed = asyncio.create_task(slot.unconfirmed.wait())
            await asyncio.wait({lost, unconfirmed}, return_when=asyncio.FIRST_COMPLETED)
            unconfirmed.cancel()
            if lost.done():
                return await _after_loss(slot, rules, teller)
            if rules.strict:
                return "unconfirmed", f"slot {slot.lease} is unconfirmed"
            await _doubt(slot, lost, teller)
    finally:
        lost.cancel()


async def _after_loss(slot: AsyncSlot, rules: Rules, teller: Teller) -> tuple[str, str]:
    why = f": {slot.problem}" if slot.problem is not None else ""
    reason = f"slot {slot.lease} is lost{why}"
    if rules.on_lost == "terminate":
        return "lost", reason
    teller.trouble("lost", f"{reason}; the command goes on without a slot", ends=False)
    return await _never()


async def _doubt(slot: AsyncSlot, lost: asyncio.Task[bool], teller: Teller) -> None:
    """Until the coordinator has said whether the slot is still ours."""
    teller.trouble(
        "unconfirmed",
        f"slot {slot.lease} is unconfirmed: no coordinator has answered for nearly its TTL;"
        " the command goes on",
        ends=False,
    )
    while slot.unconfirmed.is_set() and not lost.done():
        await asyncio.wait({lost}, timeout=_LOOK)
    if not lost.done():
        teller.trouble("confirmed", f"slot {slot.lease} is confirmed again")


async def _never() -> tuple[str, str]:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")

"""Several slots, all of them or none, without deadlock.

Two callers that want two of two slots each must not end up with one each, waiting for the other. So
nobody waits while holding: one slot is waited for with empty hands, then the others are tried, each
for about a second (the time of a grant's write). If one of them cannot be had, everything is given
back, and the one that was missing is waited for next. Every wait with something in hand ends by
itself, so there is no circle of waiting, whatever the others do and however many nodes, pools and
coordinators it is about. (C++ calls the scheme `std::lock`.)

What remains is two callers who disturb each other again and again. Therefore all start in one order
(by coordinator, pool, node and load), and each pauses for a random time that grows with its
failures before it waits again. Giving back ends a claim, so each attempt has new claim ids: a
released id is refused for two minutes.

What this costs: the place in the queue. Whoever has to give back starts at the end again, so a
caller of several slots may be overtaken, and on a node whose queue never empties it may wait for
ever; a higher `priority` brings it to the front, and `timeout` bounds it. And it never gets more
slots of one node than the node's limit.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Generic, cast

from agent_client.body import Body
from agent_client.errors import SlotLost, SlotTimeout
from agent_client.slot import AsyncSlot, S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent_client.asking import Asking, Wish
    from agent_client.taking import Taking

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0
"""Seconds of the pause between two attempts at most: after the first, and after many."""
SOON = 3.0
"""Seconds after which a silent coordinator counts as unavailable a second time (`"run"`)."""


@dataclass(frozen=True, slots=True)
class Wanted(Generic[S]):
    """One of several slots. A client's `wanted` makes it."""

    load: str
    where: tuple[str, str, str]
    """The coordinator's URL, the pool and the node."""
    wish: Wish
    take: Callable[[Asking], Taking[S]]


class Several(Generic[S]):
    """The context manager of `several` and `SlotClient.slots`. It can be entered once.

    `jitter` returns numbers in [0, 1).
    """

    def __init__(
        self,
        wanted: Sequence[Wanted[S]],
        timeout: float | None = None,
        *,
        cancels: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._wanted = list(wanted)
        self._order = sorted(range(len(wanted)), key=lambda i: (wanted[i].where, wanted[i].load))
        self._timeout = inf if timeout is None else timeout
        self._cancels = cancels
        self._jitter = jitter
        self._until = inf
        self._alone: set[int] = set()  # those that ran without a slot when they were waited for
        self._held: dict[int, Taking[S]] = {}
        self._body: Body | None = None

    async def __aenter__(self) -> list[S]:
        slots = await self.enter()
        if self._cancels:
            self._body = Body()
            for taking in self._held.values():
                taking.guard(self._body)
        return slots

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ours = self._body is not None and await self._body.ended(kind)
        lost = [taking.slot for taking in self._held.values() if taking.slot.lost.is_set()]
        await self.leave()
        if ours:
            raise SlotLost(lost[0].describe("was lost"))

    async def enter(self) -> list[S]:
        """Wait until all slots are held at once. Whatever ends the waiting gives all back."""
        self._until = asyncio.get_running_loop().time() + self._timeout
        pause = FIRST_PAUSE
        try:
            missing = self._order[0] if self._order else None
            while missing is not None:
                missing = await self._attempt(missing)
                if missing is not None:
                    await self.leave()
                    await self._rest(pause * self._jitter(), missing)
                    pause = min(2 * pause, LONGEST_PAUSE)
        except BaseException:
            await self.leave()
            raise
        return [self._held[index].slot for index in range(len(self._wanted))]

    async def leave(self) -> None:
        """Give back whatever is held, all at once."""
        held, self._held = self._held, {}
        await asyncio.gather(*(taking.leave() for taking in held.values()))

    async def _attempt(self, first: int) -> int | None:
        """Wait for `first`, then try the others. Returns the first one that could not be had."""
        await self._wait_for(first)
        others = [index for index in self._order if index != first]
        tries = [asyncio.create_task(self._try(index)) for index in others]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, SlotTimeout):
                raise outcome
        failed = (i for i, outcome in zip(others, outcomes, strict=True) if outcome is not None)
        return next(failed, None)

    async def _wait_for(self, index: int) -> None:
        try:
            await self._take(index, self._asking(index, self._left()))
        except SlotTimeout as error:
            raise self._too_late(index) from error
        if not self._held[index].slot.governed:
            self._alone.add(index)

    async def _try(self, index: int) -> None:
        asking = self._asking(index, 0.0)
        if index in self._alone:  # it was waited for once, in vain
            asking["unavailable_after"] = min(SOON, asking.get("unavailable_after", SOON))
        await self._take(index, asking)

    def _asking(self, index: int, timeout: float) -> Asking:
        return cast("Asking", {**self._wanted[index].wish, "timeout": timeout})

    async def _take(self, index: int, asking: Asking) -> None:
        taking = self._wanted[index].take(asking)
        await taking.enter()
        self._held[index] = taking

    async def _rest(self, pause: float, missing: int) -> None:
        if self._left() <= 0:
            raise self._too_late(missing)
        await asyncio.sleep(min(pause, self._left()))

    def _left(self) -> float:
        return max(0.0, self._until - asyncio.get_running_loop().time())

    def _too_late(self, missing: int) -> SlotTimeout:
        wanted = self._wanted[missing]
        _, namespace, node = wanted.where
        return SlotTimeout(
            f"{len(self._wanted)} slots were not to be had at once within {self._timeout:g} s; "
            f"missing: load {wanted.load!r} on node {node} in pool {namespace}"
        )


def several(
    *wanted: Wanted[AsyncSlot], timeout: float | None = None, cancel_on_lost: bool = False
) -> Several[AsyncSlot]:
    """A slot for each of `wanted`, all of them or none, also of several clients.

        async with several(here.wanted(load="dump"), there.wanted(load="copy")) as [dump, copy]:

    Entering waits until all are held at once, and returns them in the order of the arguments. No
    part is held for longer than a second or two while another part is missing, so callers of
    several slots never wait for each other in a circle. It keeps no place in the queue: see the
    module.

    Args:
        timeout: seconds for the whole; None waits for ever.
        cancel_on_lost: when one of the slots is lost, cancel the body and raise SlotLost.

    Raises:
        SlotTimeout: `timeout` passed. Nothing is held.
        SlotError: as `SlotClient.slot`, for any of them. Nothing is held.
    """
    return Several(wanted, timeout, cancels=cancel_on_lost)

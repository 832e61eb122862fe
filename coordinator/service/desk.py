"""One node's table together with those who wait for it to change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.core.messages import Ask
    from coordinator.core.model import PodRef
    from coordinator.core.slots import NodeTable


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a claim before it asks again: whether it holds a slot, and its Pod."""

    holds: bool
    pod: PodRef | None


BEAT = 0.25
"""Seconds. Waits of a second and more end on one beat, so much too early at most: five thousand
agents that are answered and ask again one by one cost four times as much as sixty at a time."""


_NOTHING: frozenset[str] = frozenset()


class Waiter:
    """One blocked request: woken with the claims that changed, or to be answered at once.

    Thousands wait at a time: each is a future and a timer while it waits, and next to nothing else.
    """

    __slots__ = ("_pause", "changed", "dismissed")

    def __init__(self) -> None:
        self._pause: asyncio.Future[None] | None = None
        self.changed = _NOTHING
        self.dismissed = False
        """Whether it is to answer with what is true now."""

    def tell(self, claim: str) -> None:
        """Something of this claim changed."""
        self.changed |= {claim}
        self._wake()

    def dismiss(self) -> None:
        """Answer now: a newer request took over, or the coordinator stops."""
        self.dismissed = True
        self._wake()

    async def wait(self, seconds: float) -> frozenset[str]:
        """The claims that changed since the last call; empty after `seconds`, or a little less if
        they are many, or a dismissal.
        """
        if not (self.changed or self.dismissed):
            await self._until_woken(seconds)
        changed, self.changed = self.changed, _NOTHING
        return changed

    async def _until_woken(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._pause = loop.create_future()
        end = loop.time() + seconds
        timer = loop.call_at(end if seconds < 1.0 else end - end % BEAT, self._wake)
        try:
            await self._pause
        finally:
            timer.cancel()
            self._pause = None

    def _wake(self) -> None:
        if self._pause is not None and not self._pause.done():
            self._pause.set_result(None)


class Desk:
    """Where the requests for one node meet its table."""

    __slots__ = ("_waiters", "table")

    def __init__(self, table: NodeTable) -> None:
        self.table = table
        self._waiters: dict[str, tuple[Waiter, ...]] = {}

    def join(self, waiter: Waiter, claims: Iterable[str]) -> None:
        """The waiter is told of changes of these claims from now on."""
        alone = (waiter,)  # the same for all of its claims
        for claim in claims:
            self._waiters[claim] = self._waiters.get(claim, ()) + alone

    def part(self, waiter: Waiter, claims: Iterable[str]) -> None:
        """The waiter is told no more."""
        for claim in claims:
            left = tuple(one for one in self._waiters.pop(claim, ()) if one is not waiter)
            if left:
                self._waiters[claim] = left

    def tell(self, claim: str) -> None:
        """Wake whoever waits for the claim."""
        for waiter in self._waiters.get(claim, ()):
            waiter.tell(claim)

    def dismiss_all(self) -> None:
        """Have every blocked request answered now."""
        for waiter in [waiter for waiters in self._waiters.values() for waiter in waiters]:
            waiter.dismiss()

    def survey(self, now: float) -> Survey:
        """What is true of its claims at this time."""
        return Survey(self.table, now)

    def knows(self, ask: Ask) -> bool:
        """Whether the claim is no new one: it waits, holds, ended lately, or believes to hold."""
        roll, named = self.table.roll, self.table.picture.named
        return ask.token is not None or any(
            ask.claim in one for one in (roll.claims, roll.ended, named)
        )

    def known(self, claim: str) -> Known | None:
        """What the table has of a claim that waits or holds; None of any other."""
        record = self.table.roll.claims.get(claim)
        if record is None:
            return None
        holds = claim in self.table.picture.named and not record.leaving
        return Known(holds, record.terms.pod)

    @property
    def empty(self) -> bool:
        """Whether nothing would be forgotten by dropping this desk."""
        return self.table.empty and not self._waiters

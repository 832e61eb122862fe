"""Looks at claims' Pods for one pool: a few at a time, so that no grant waits behind them.

A thousand Pods may end at once, and a thousand agents may fall silent in an outage: while the API
server is away one look at a time tries, after a growing wait (promise P12).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.model import Verdict
from coordinator.kube import errors
from coordinator.service.evidence import Sight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from coordinator.core.model import PodRef
    from coordinator.service.desk import Desk
    from coordinator.service.gate import Gate
    from coordinator.service.reports import PoolReports

    Examiner = Callable[[PodRef, str, bool], Awaitable[Sight]]
    Apply = Callable[[Desk, m.Event], object]

LANES = 4
"""Looks at a time."""
AGAIN, LONGEST = 5.0, 60.0
"""Seconds between two tries of one look that is refused, say for a missing right: growing."""

_NOTHING = Sight(Verdict.UNJUDGED, found=False)


class Looks:
    """`examine(pod, node, silent)` is one look and raises `ApiError`; `apply` takes what it shows
    to the claim's table.
    """

    def __init__(
        self,
        examine: Examiner,
        gate: Gate,
        now: Callable[[], float],
        reports: PoolReports,
        apply: Apply,
    ) -> None:
        self._examine = examine
        self._gate = gate
        self._now = now
        self._reports = reports
        self._apply = apply
        self._lanes = asyncio.Semaphore(LANES)
        self._hasty: dict[tuple[str, str], asyncio.Event] = {}
        """Looks that wait for their time, or are to go at once when they come to wait for it."""

    async def take(self, desk: Desk, command: m.Examine) -> None:
        """Take the look that the desk's table asked for, however long that takes."""
        await self._its_time(desk, command)
        sight = await self._sight(desk, command)
        self._reports.examined(desk.table.node, command, sight.verdict)
        self._apply(desk, m.Evidence(command.claim, sight.verdict, command.pod, sight.found))
        if not _under_way(desk, command.claim):
            self._hasty.pop((desk.table.node, command.claim), None)

    def at_once(self, desk: Desk, claim: str) -> None:
        """The claim's Pod has left the watch: its look, if there is one, waits no longer.

        A Pod that is deleted is to be seen as finished for a third of a second (measured on a
        kubelet); after that its absence proves nothing.
        """
        if _under_way(desk, claim):
            self._hasty.setdefault((desk.table.node, claim), asyncio.Event()).set()

    async def _its_time(self, desk: Desk, command: m.Examine) -> None:
        key, left = (desk.table.node, command.claim), command.at - self._now()
        hasty = self._hasty.setdefault(key, asyncio.Event())
        try:
            if left > 0:
                async with asyncio.timeout(left):
                    await hasty.wait()
        except TimeoutError:
            pass
        finally:
            self._hasty.pop(key, None)

    async def _sight(self, desk: Desk, command: m.Examine) -> Sight:
        pause = AGAIN
        while _wanted(desk, command):
            try:
                return await self._in_lane(desk.table.node, command)
            except errors.ApiError as error:
                delay = pause if self._gate.open else self._gate.delay
                self._reports.streams.broken("pods", error, delay)
                if self._gate.open:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST)
        return _NOTHING

    async def _in_lane(self, node: str, command: m.Examine) -> Sight:
        async with self._lanes:
            sight = await self._gate.run(lambda: self._examine(command.pod, node, command.silent))
        self._reports.streams.well("pods")
        return sight


def _under_way(desk: Desk, claim: str) -> bool:
    found = desk.table.roll.claims.get(claim)
    return found is not None and found.look.under_way


def _wanted(desk: Desk, command: m.Examine) -> bool:
    """Whether the claim is still there, and runs where it is to be looked for."""
    claim = desk.table.roll.claims.get(command.claim)
    return claim is not None and claim.look.under_way and claim.terms.pod == command.pod

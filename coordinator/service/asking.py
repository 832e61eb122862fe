"""Requests for slots: one claim at a time, or all claims of an agent in one sync.

Each blocked request ends by its deadline (P13). What a request did to the table before it waits
is undone by nothing: a caller that goes away only ends its polls (P8).
"""

from __future__ import annotations

from functools import partial
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.refusals import OthersClaim, Refusal
from coordinator.core.views import Granted, Lost, Released, Settling
from coordinator.service.agents import Agents
from coordinator.service.asked import UNKNOWN, Asked, Look
from coordinator.service.desk import Desk, Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.core.views import View
    from coordinator.service.agents import AgentRecord
    from coordinator.service.asked import SyncAnswer, SyncRequest

    Apply = Callable[[Desk, m.Event], Sequence[m.Command]]
    Now = Callable[[], float]

DRIFT = 5.0
"""Seconds after which a mere change of place or reason ends a wait."""
TOGETHER = 15.0
"""Seconds that a new ticket waits for a write under way: who releases one claim and asks for the
next has one answer, not two. When everything begins at once, such answers come when there is least
time for them."""
SETTLE = 2.0
"""Seconds that even an impatient request waits for a write whose outcome is about to be known."""


class Counter:
    """The requests' side of one pool's desks; `apply` feeds an event to a desk's table."""

    def __init__(self, apply: Apply, now: Now) -> None:
        self._apply = apply
        self._now = now
        self._polls = count(1)
        self.agents = Agents(now)

    def next_poll(self) -> int:
        """A number for the next request that asks for claims."""
        return next(self._polls)

    async def ask(self, desk: Desk, ask: m.Ask, wait: float) -> View:
        """The claim's state once it is settled, or after `wait` seconds. Raises `Refusal`."""
        waiter, ask = Waiter(), ask._replace(poll=self.next_poll())
        desk.join(waiter, [ask.claim])
        try:
            self._apply(desk, ask)
        except Refusal:
            desk.part(waiter, [ask.claim])
            raise
        try:
            look = partial(self._view, desk, ask.claim, ask.token, ask.terms.owner)
            return await self._settled(desk, look, waiter, wait)
        finally:
            self._apply(desk, m.PollEnded((ask.claim,), ask.poll))
            desk.part(waiter, [ask.claim])

    async def leave(self, desk: Desk, leave: m.Leave, wait: float) -> View:
        """`Released` once no Lease names the claim, else `Settling` after `wait` seconds.

        Raises `OthersClaim`.
        """
        claim = leave.claim
        waiter = Waiter()
        desk.join(waiter, [claim])
        try:
            self._apply(desk, leave)
            look = partial(self._view, desk, claim, None, leave.owner)
            return await self._settled(desk, look, waiter, wait)
        finally:
            desk.part(waiter, [claim])

    def _view(self, desk: Desk, claim: str, token: int | None, owner: str) -> View:
        view = desk.survey(self._now()).view(claim, token, owner)
        return view or Settling(claim, UNKNOWN)

    async def _settled(
        self, desk: Desk, look: Callable[[], View], waiter: Waiter, wait: float
    ) -> View:
        begin = self._now()
        while True:
            view = look()
            patience = max(wait, SETTLE) if _about_to_be_known(desk, view, begin) else wait
            left = begin + patience - self._now()
            if isinstance(view, Granted | Lost | Released) or waiter.dismissed or left <= 0:
                return view
            await waiter.wait(left)

    async def sync(self, desk: Desk, request: SyncRequest, term: int) -> SyncAnswer:
        """Take in the request, then wait for news. Raises `StaleSync`."""
        waiter = Waiter()
        record = self.agents.take_turn(desk.table.node, request, waiter)
        refused = self._take_in(desk, request, record)
        asked = Asked(request, term, refused, self._let_go(desk, request))
        wait, poll = request.wait, request.poll
        del request  # thousands wait: of each only what its answer is made of is kept
        try:
            return await self._news(desk, asked, waiter, wait)
        finally:
            self._apply(desk, m.PollEnded(asked.claims, poll))
            self.agents.end_turn(record, waiter)

    def _take_in(self, desk: Desk, request: SyncRequest, record: AgentRecord) -> dict[str, Refusal]:
        commands = self._apply(desk, m.Asks(request.asks)) if request.asks else ()
        if record.told != request.speaker.boot:  # from here on it is known what the new boot knows
            record.told = request.speaker.boot
            self._apply(desk, m.Restarted(request.speaker))
        return {one.claim: one.refusal for one in commands if isinstance(one, m.Refused)}

    def _let_go(self, desk: Desk, request: SyncRequest) -> tuple[OthersClaim, ...]:
        """Release what is released. What is another's stands, and comes back as refused.

        The queue is left first: else a holder's slot may go to a claim that leaves right after.
        """
        held, others = desk.table.picture.named, []
        for claim in sorted(request.releases, key=held.__contains__):
            try:
                self._apply(desk, m.Leave(claim, request.speaker.owner))
            except OthersClaim as refusal:
                others.append(refusal)
        return tuple(others)

    async def _news(self, desk: Desk, asked: Asked, waiter: Waiter, wait: float) -> SyncAnswer:
        """Wait for what the agent does not know; the answer at that time, or after `wait`."""
        begin = self._now()
        look = Look(asked, desk.survey(begin))
        news = look.any_news
        more = news and look.expects_more
        if (news and not more) or wait <= 0:
            return look.answer(news=news)
        pause = inf if look.all_held else DRIFT
        places = look.places
        del look  # what it has found is much to keep
        desk.join(waiter, asked.names)
        try:
            return await self._later(desk, asked, waiter, begin, wait, pause, places)
        finally:
            desk.part(waiter, asked.names)

    async def _later(
        self,
        desk: Desk,
        asked: Asked,
        waiter: Waiter,
        begin: float,
        wait: float,
        pause: float,
        places: int,
    ) -> SyncAnswer:
        """As `_news`, with a look each `pause` seconds; `places` are those at `begin`."""
        now, end = begin, begin + wait
        while True:
            left = end - now
            changed = await waiter.wait(min(left, pause))
            now = self._now()
            over = waiter.dismissed or now >= end or (left <= pause and not changed)
            drifting = now - begin >= DRIFT or not changed
            if not (over or drifting or asked.is_news_of(desk.survey(now), changed)):
                continue
            look = Look(asked, desk.survey(now))
            news = look.any_news or (drifting and look.places != places)
            more = now - begin < TOGETHER and look.expects_more
            if over or (news and not more):
                return look.answer(news=news)
            del look


def _about_to_be_known(desk: Desk, view: View, now: float) -> bool:
    """Whether a write or a read that is under way decides about this claim."""
    return isinstance(view, Settling) or desk.survey(now).is_imminent(view.claim)

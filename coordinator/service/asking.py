"""Requests for slots: one claim at a time, or all claims of an agent in one sync.

Each blocked request ends by its deadline (P13). What a request did to the table before it waits
is undone by nothing: a caller that goes away only ends its polls (P8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.model import Speaker
from coordinator.core.views import Granted, Lost, Queued, Released, Settling, View, is_imminent
from coordinator.service.agents import Agents
from coordinator.service.desk import Desk, Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.service.agents import AgentRecord

    Apply = Callable[[Desk, m.Event], None]
    Now = Callable[[], float]

DRIFT = 5.0
"""Seconds after which a mere change of place or reason ends a wait."""
SETTLE = 2.0
"""Seconds that even an impatient request waits for a write whose outcome is about to be known."""

Answered = View | m.Refusal


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Everything that one agent has to say: all its claims, and the ids that it releases."""

    agent: str
    boot: str
    sequence: int
    wait: float
    asks: tuple[m.Ask, ...]
    releases: tuple[str, ...]
    owner: str = ""
    """Whose claims these are: the agent's service account; "" without authentication."""


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """The state of each claim asked for, in order, and the releases that stand."""

    term: int
    sequence: int
    claims: tuple[Answered, ...]
    released: tuple[str, ...]
    news: bool
    """Whether it says anything that the agent did not know."""
    others: tuple[m.OthersClaim, ...] = ()
    """Releases that were refused: not this agent's claims. Nothing of them was changed."""


class Counter:
    """The requests' side of one pool's desks; `apply` feeds an event to a desk's table."""

    def __init__(self, apply: Apply, now: Now) -> None:
        self._apply = apply
        self._now = now
        self._polls = count(1)
        self.agents = Agents(now)

    async def ask(self, desk: Desk, ask: m.Ask, wait: float) -> View:
        """The claim's state once it is settled, or after `wait` seconds. Raises `Refusal`."""
        waiter, ask = Waiter(), replace(ask, poll=next(self._polls))
        desk.join(waiter, [ask.claim])
        try:
            self._apply(desk, ask)
        except m.Refusal:
            desk.part(waiter, [ask.claim])
            raise
        try:
            look = partial(self._view, desk, ask.claim, ask.token, ask.terms.owner)
            return await self._settled(desk, look, waiter, wait)
        finally:
            self._apply(desk, m.PollEnded(ask.claim, ask.poll))
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
        view = desk.view(claim, self._now(), token, owner)
        return view or Settling(claim, "nothing is known of it")

    async def _settled(
        self, desk: Desk, look: Callable[[], View], waiter: Waiter, wait: float
    ) -> View:
        begin = self._now()
        while True:
            view = look()
            patience = max(wait, SETTLE) if _about_to_be_known(desk, view) else wait
            left = begin + patience - self._now()
            if isinstance(view, Granted | Lost | Released) or waiter.dismissed or left <= 0:
                return view
            await waiter.wait(left)

    async def sync(self, desk: Desk, request: SyncRequest, term: int) -> SyncAnswer:
        """Take in the request, then wait for news. Raises `StaleSync`."""
        waiter, poll = Waiter(), next(self._polls)
        record = self.agents.take_turn(desk.table.node, request, waiter)
        claims = [ask.claim for ask in request.asks]
        desk.join(waiter, [*claims, *request.releases])
        refused = self._take_in(desk, request, record, poll)
        others = self._let_go(desk, request)
        try:
            news = await self._news(desk, request, refused, waiter)
            return replace(self._answer(desk, request, refused, term, news=news), others=others)
        finally:
            for claim in claims:
                if claim not in refused:
                    self._apply(desk, m.PollEnded(claim, poll))
            desk.part(waiter, [*claims, *request.releases])
            self.agents.end_turn(record, waiter)

    def _take_in(
        self, desk: Desk, request: SyncRequest, record: AgentRecord, poll: int
    ) -> dict[str, m.Refusal]:
        refused: dict[str, m.Refusal] = {}
        speaker = Speaker(request.agent, request.boot, request.owner)
        for ask in request.asks:
            try:
                terms = replace(ask.terms, owner=request.owner)
                self._apply(desk, replace(ask, terms=terms, poll=poll, speaker=speaker))
            except m.Refusal as refusal:
                refused[ask.claim] = refusal
        if record.told != speaker.boot:  # from here on it is known what the new boot knows
            record.told = speaker.boot
            self._apply(desk, m.Restarted(speaker))
        return refused

    def _let_go(self, desk: Desk, request: SyncRequest) -> tuple[m.OthersClaim, ...]:
        """Release what is released. What is another's stands, and comes back as refused.

        The queue is left first: else a holder's slot may go to a claim that leaves right after.
        """
        held, others = desk.table.picture.named, []
        for claim in sorted(request.releases, key=held.__contains__):
            try:
                self._apply(desk, m.Leave(claim, request.owner))
            except m.OthersClaim as refusal:
                others.append(refusal)
        return tuple(others)

    async def _news(
        self, desk: Desk, request: SyncRequest, refused: dict[str, m.Refusal], waiter: Waiter
    ) -> bool:
        """Wait for what the agent does not know; False if its patience ends first."""
        asks = {ask.claim: ask for ask in request.asks if ask.claim not in refused}
        begin = now = self._now()
        first = self._places(desk, asks, now)
        changed = everything = {*asks, *request.releases}
        while not (refused or self._any_news(desk, request.owner, asks, changed, now)):
            drifted = now - begin >= DRIFT and self._places(desk, asks, now) != first
            left = begin + request.wait - now
            if drifted or waiter.dismissed or left <= 0:
                return drifted
            changed = await waiter.wait(min(left, DRIFT)) or everything
            now = self._now()
        return True

    def _places(self, desk: Desk, asks: dict[str, m.Ask], now: float) -> list[tuple[int, str]]:
        views = [desk.view(claim, now) for claim in asks]
        return [(view.position, view.reason) for view in views if isinstance(view, Queued)]

    def _any_news(
        self, desk: Desk, owner: str, asks: dict[str, m.Ask], changed: set[str], now: float
    ) -> bool:
        for claim in changed:
            ask = asks.get(claim)
            view = desk.view(claim, now, ask.token if ask else None, owner)
            if ask is None:
                if isinstance(view, Released):
                    return True
            elif _is_news(desk, ask, view):
                return True
        return False

    def _answer(
        self,
        desk: Desk,
        request: SyncRequest,
        refused: dict[str, m.Refusal],
        term: int,
        *,
        news: bool,
    ) -> SyncAnswer:
        now, owner = self._now(), request.owner
        answered: list[Answered] = [
            refused.get(ask.claim) or self._view(desk, ask.claim, ask.token, owner)
            for ask in request.asks
        ]
        released = tuple(
            claim
            for claim in request.releases
            if isinstance(desk.view(claim, now, owner=owner), Released)
        )
        return SyncAnswer(term, request.sequence, tuple(answered), released, news)


def _about_to_be_known(desk: Desk, view: View) -> bool:
    """Whether a write or a read that is under way decides about this claim."""
    return isinstance(view, Settling) or is_imminent(desk.table, view.claim)


def _is_news(desk: Desk, ask: m.Ask, view: View | None) -> bool:
    """Whether the agent does not know this yet."""
    match view:
        case Granted():
            return view.token != ask.token
        case Queued():
            return view.ticket != ask.ticket and not is_imminent(desk.table, ask.claim)
        case Settling():
            return False
        case _:
            return True

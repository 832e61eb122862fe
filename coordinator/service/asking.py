"""Requests for slots: one claim at a time, or all claims of an agent in one sync.

Each blocked request ends by its deadline (P13). What a request did to the table before it waits
is undone by nothing: a caller that goes away only ends its polls (P8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import inf
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.model import Speaker
from coordinator.core.views import (
    Granted,
    Lost,
    Queued,
    Released,
    Settling,
    View,
    is_imminent,
    is_written,
)
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

UNKNOWN = "nothing is known of it"

TOGETHER = 0.5
"""Seconds that a new ticket waits for a write under way: who releases one claim and asks for the
next has one answer, not two."""

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
        return view or Settling(claim, UNKNOWN)

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
        refused = self._take_in(desk, request, record, poll)
        asked = _Asked(request, term, refused, self._let_go(desk, request))
        wait = request.wait
        del request  # thousands wait: of each only what its answer is made of is kept
        try:
            return await self._news(desk, asked, waiter, wait)
        finally:
            for claim in asked.claims:
                if claim not in refused:
                    self._apply(desk, m.PollEnded(claim, poll))
            self.agents.end_turn(record, waiter)

    def _take_in(
        self, desk: Desk, request: SyncRequest, record: AgentRecord, poll: int
    ) -> dict[str, m.Refusal]:
        refused: dict[str, m.Refusal] = {}
        speaker = Speaker(request.agent, request.boot, request.owner)
        for ask in request.asks:
            try:
                self._apply(desk, _spoken(ask, speaker, poll))
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

    async def _news(self, desk: Desk, asked: _Asked, waiter: Waiter, wait: float) -> SyncAnswer:
        """Wait for what the agent does not know; the answer at that time, or after `wait`."""
        begin = self._now()
        answer = asked.answer(desk, begin)
        more = answer.news and asked.expects_more(desk, answer)
        if (answer.news and not more) or wait <= 0:
            return answer
        pause = TOGETHER if more else asked.pause(answer)
        places, names = _places(answer), asked.names
        del answer  # its sentences are much to keep
        desk.join(waiter, names)
        try:
            return await self._later(desk, asked, waiter, begin, wait, pause, places)
        finally:
            desk.part(waiter, names)

    async def _later(
        self,
        desk: Desk,
        asked: _Asked,
        waiter: Waiter,
        begin: float,
        wait: float,
        pause: float,
        places: int,
    ) -> SyncAnswer:
        """As `_news`, with a look each `pause` seconds; `places` are those at `begin`."""
        now, end = begin, begin + wait
        while True:
            changed = await waiter.wait(min(end - now, pause))
            now = self._now()
            over, drifting = waiter.dismissed or now >= end, now - begin >= DRIFT
            if changed and not (over or drifting or asked.any_news(desk, changed, now)):
                continue
            answer = asked.answer(desk, now)
            if answer.news:
                return answer
            if drifting and _places(answer) != places:
                return replace(answer, news=True)
            if over:
                return answer
            del answer


class _Asked:
    """What a sync has asked for, as far as its answer needs it once it was taken in."""

    __slots__ = ("_others", "_owner", "_refused", "_sequence", "_term", "claims", "releases")

    def __init__(
        self,
        request: SyncRequest,
        term: int,
        refused: dict[str, m.Refusal],
        others: tuple[m.OthersClaim, ...],
    ) -> None:
        self._term = term
        self._sequence = request.sequence
        self._owner = request.owner
        self._refused = refused
        self._others = others
        self.claims = {ask.claim: (ask.ticket, ask.token) for ask in request.asks}
        """In order, each with the ticket and the fencing token that its agent knows."""
        self.releases = request.releases

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is about."""
        return (*self.claims, *self.releases)

    def answer(self, desk: Desk, now: float) -> SyncAnswer:
        """What is true now, and whether the agent knows it."""
        news = bool(self._refused)
        claims: list[Answered] = []
        for claim in self.claims:
            view = self._refused.get(claim) or self._view(desk, claim, now)
            news = news or self._is_news(desk, claim, view)
            claims.append(view or Settling(claim, UNKNOWN))
        released = tuple(one for one in self.releases if self._is_released(desk, one, now))
        news = news or bool(released)
        return SyncAnswer(self._term, self._sequence, tuple(claims), released, news, self._others)

    def expects_more(self, desk: Desk, answer: SyncAnswer) -> bool:
        """Whether there is no news but tickets, while a write decides about something else."""
        tickets_only = not answer.released and all(
            isinstance(view, Queued | Settling) or not self._is_news(desk, claim, view)
            for claim, view in zip(self.claims, answer.claims, strict=True)
        )
        return tickets_only and any(is_written(desk.table, name) for name in self.names)

    def pause(self, answer: SyncAnswer) -> float:
        """Seconds until another look without a change. Of what is held each change is told."""
        held = not self.releases and all(isinstance(one, Granted) for one in answer.claims)
        return inf if held else DRIFT

    def any_news(self, desk: Desk, changed: set[str], now: float) -> bool:
        """Whether the agent does not know what there is of these claims."""
        for claim in changed:
            if claim not in self.claims:
                if self._is_released(desk, claim, now):
                    return True
            elif self._is_news(desk, claim, self._view(desk, claim, now)):
                return True
        return False

    def _view(self, desk: Desk, claim: str, now: float) -> View | None:
        return desk.view(claim, now, self.claims[claim][1], self._owner)

    def _is_released(self, desk: Desk, claim: str, now: float) -> bool:
        return isinstance(desk.view(claim, now, owner=self._owner), Released)

    def _is_news(self, desk: Desk, claim: str, view: Answered | None) -> bool:
        ticket, token = self.claims[claim]
        match view:
            case Granted():
                return view.token != token
            case Queued():
                return view.ticket != ticket and not is_imminent(desk.table, claim)
            case Settling():
                return False
            case _:
                return True


def _spoken(ask: m.Ask, speaker: Speaker, poll: int) -> m.Ask:
    """The claim's request as this agent's; written out, for this is done for each renewal."""
    terms = ask.terms
    if terms.owner != speaker.owner:
        terms = replace(terms, owner=speaker.owner)
    return m.Ask(ask.claim, terms, ask.ticket, ask.token, poll, speaker, ask.ending)


def _places(answer: SyncAnswer) -> int:
    """Another number once a place or a reason is another: the sentences are too much to keep."""
    queued = (one for one in answer.claims if isinstance(one, Queued))
    return hash(tuple((one.position, one.reason) for one in queued))


def _about_to_be_known(desk: Desk, view: View) -> bool:
    """Whether a write or a read that is under way decides about this claim."""
    return isinstance(view, Settling) or is_imminent(desk.table, view.claim)

"""What an agent says in a sync, what it is answered, and whether that is news to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.core.claims import Claim
from coordinator.core.refusals import Refusal
from coordinator.core.views import Granted, Released, Settling, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coordinator.core.claims import Ticket
    from coordinator.core.messages import Ask
    from coordinator.core.model import Speaker
    from coordinator.core.refusals import OthersClaim
    from coordinator.core.survey import Survey

UNKNOWN = "nothing is known of it"

Answered = View | Refusal
Known = tuple["Ticket | None", int | None]
"""The ticket and the fencing token that an agent knows of its claim."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """Everything that one agent has to say: all its claims, and the ids that it releases."""

    speaker: Speaker
    """The agent. Its owner is whose claims these are; "" without authentication."""
    sequence: int
    wait: float
    poll: int
    """That of each of the `asks`."""
    asks: tuple[Ask, ...]
    releases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """The state of each claim asked for, in order, and the releases that stand."""

    term: int
    sequence: int
    claims: tuple[Answered, ...]
    released: tuple[str, ...]
    news: bool
    """Whether it says anything that the agent did not know."""
    others: tuple[OthersClaim, ...] = ()
    """Releases that were refused: not this agent's claims. Nothing of them was changed."""


class Asked:
    """What a sync has asked for, as far as its answer needs it once it was taken in."""

    __slots__ = ("claims", "others", "owner", "refused", "releases", "sequence", "term")

    def __init__(
        self,
        request: SyncRequest,
        term: int,
        refused: Mapping[str, Refusal],
        others: tuple[OthersClaim, ...],
    ) -> None:
        self.term = term
        self.sequence = request.sequence
        self.owner = request.speaker.owner
        self.refused = refused
        self.others = others
        self.claims = {ask.claim: (ask.ticket, ask.token) for ask in request.asks}
        """In order, each with the ticket and the fencing token that its agent knows."""
        self.releases = request.releases

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is about."""
        return (*self.claims, *self.releases)

    def is_news_of(self, survey: Survey, changed: Iterable[str]) -> bool:
        """Whether there is anything of these claims that the agent does not know."""
        for claim in changed:
            known = self.claims.get(claim)
            if known is None:
                if is_released(survey, claim, self.owner):
                    return True
            elif is_news(survey, known, survey.standing(claim, known[1], self.owner)):
                return True
        return False


class Look:
    """What is true, at the time of the survey, of all that a sync has asked for."""

    __slots__ = ("_asked", "_found", "_released", "_survey")

    def __init__(self, asked: Asked, survey: Survey) -> None:
        owner = asked.owner
        self._asked = asked
        self._survey = survey
        self._found = [
            survey.standing(claim, token, owner) for claim, (_, token) in asked.claims.items()
        ]
        self._released = tuple([one for one in asked.releases if is_released(survey, one, owner)])

    @property
    def any_news(self) -> bool:
        """Whether there is anything that the agent does not know."""
        asked = self._asked
        if asked.refused or self._released:
            return True
        pairs = zip(asked.claims.values(), self._found, strict=True)
        return any(is_news(self._survey, known, found) for known, found in pairs)

    @property
    def expects_more(self) -> bool:
        """Whether there is no news but tickets, while a write decides about something else."""
        asked, survey = self._asked, self._survey
        if asked.refused or self._released or not survey.is_busy:
            return False
        pairs = zip(asked.claims.values(), self._found, strict=True)
        waits = all(
            isinstance(found, Claim | Settling) or not is_news(survey, known, found)
            for known, found in pairs
        )
        return waits and any(survey.is_written(name) for name in asked.names)

    @property
    def all_held(self) -> bool:
        """Whether each claim holds: of what is held every change is told."""
        return not self._asked.releases and all(isinstance(one, Granted) for one in self._found)

    @property
    def places(self) -> int:
        """Another number once a place or a reason is another: the sentences are too much to keep;
        0 while no claim waits.
        """
        waiting = tuple([self._survey.place(one) for one in self._found if isinstance(one, Claim)])
        return hash(waiting) if waiting else 0

    def answer(self, *, news: bool) -> SyncAnswer:
        """The answer, and whether it counts as news."""
        asked, told = self._asked, self._survey.told
        pairs = zip(asked.claims, self._found, strict=True)
        claims = tuple(
            [
                asked.refused.get(claim) or told(found) or Settling(claim, UNKNOWN)
                for claim, found in pairs
            ]
        )
        return SyncAnswer(asked.term, asked.sequence, claims, self._released, news, asked.others)


def is_released(survey: Survey, claim: str, owner: str) -> bool:
    """Whether no Lease names the claim any more, as its owner is told."""
    return isinstance(survey.standing(claim, None, owner), Released)


def is_news(survey: Survey, known: Known, found: View | Claim | None) -> bool:
    """Whether an agent that knows this much of a claim does not know what is true of it."""
    ticket, token = known
    if isinstance(found, Granted):
        return found.token != token
    if isinstance(found, Claim):
        return found.ticket != ticket and not survey.is_imminent(found.id)
    return not isinstance(found, Settling)

"""What the holder of a slot sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from agent_client.session import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.messages import Problem
    from agent_client.session import Session


class Mark(Protocol):
    """What `asyncio.Event` and `threading.Event` have in common."""

    def set(self) -> None:
        """Raise the mark and wake who waits for it."""

    def clear(self) -> None:
        """Lower the mark."""

    def is_set(self) -> bool:
        """Whether the mark is up."""


M = TypeVar("M", bound=Mark)


class Slot(Generic[M]):
    """One claim and its slot. Every attribute tells how it is now; none of them waits.

    `lost` is set, for good, once the coordinator said for certain that the slot is no longer this
    claim's. `unconfirmed` is set while nothing is known, because the coordinator has been silent
    for too long, and while the load runs without a slot (`governed` is False then).
    """

    def __init__(
        self,
        session: Session,
        place: tuple[str, str],
        marks: Callable[[], M],
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._clock = clock
        self.namespace, self.node = place
        self.lost: M = marks()
        self.unconfirmed: M = marks()

    @property
    def claim(self) -> str:
        """The claim's id."""
        return self._session.claim

    @property
    def load(self) -> str:
        """The load's name."""
        return self._session.terms.load

    @property
    def state(self) -> State:
        """Where the claim stands at this moment, by this machine's clock."""
        return self._session.state_at(self._clock())

    @property
    def governed(self) -> bool:
        """False when the load runs without a slot because no coordinator answered."""
        return self._session.governed

    @property
    def ordinal(self) -> int | None:
        """The slot's number on its node, from 0; None without a grant."""
        return self._session.grant.slot if self._session.grant else None

    @property
    def lease(self) -> str | None:
        """The name of the slot's Lease; None without a grant."""
        return self._session.grant.lease if self._session.grant else None

    @property
    def fencing_token(self) -> int | None:
        """Grows with every grant of this slot, for what the load writes to; None without one."""
        return self._session.grant.token if self._session.grant else None

    @property
    def problem(self) -> Problem | None:
        """What the coordinator said when the slot was lost or the claim refused."""
        return self._session.problem

    def refresh(self) -> None:
        """Bring the two marks up to date. The client calls this."""
        if self.state is State.LOST:
            self.lost.set()
        if self.state is State.UNCONFIRMED:
            self.unconfirmed.set()
        else:
            self.unconfirmed.clear()

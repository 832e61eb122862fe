"""What the holder of a slot sees of it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from agent_client.session import State

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

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

    ask: Callable[[float | None], Coroutine[Any, Any, None]]
    """Waits for the coordinator's word; what waits for the slot sets it."""

    def __init__(
        self,
        session: Session,
        place: tuple[str, str],
        clock: Callable[[], float],
        marks: Callable[[], M],
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

    @property
    def certain(self) -> bool:
        """Whether the load may go on without a word of the coordinator: the slot is held, or the
        load runs without one."""
        return self.state is State.HELD or not self.governed

    def refresh(self) -> State:
        """Bring the two marks up to date and return the state. The client calls this."""
        state = self.state
        if state is State.LOST:
            self.lost.set()
        if state is State.UNCONFIRMED:
            self.unconfirmed.set()
        else:
            self.unconfirmed.clear()
        return state

    def describe(self, what: str) -> str:
        """A sentence for people: which load, where, and `what` became of it."""
        return f"load {self.load!r} on node {self.node} in pool {self.namespace} {what}"


class AsyncSlot(Slot[asyncio.Event]):
    """A slot of the asyncio client; its marks are `asyncio.Event`s."""

    def __init__(
        self, session: Session, place: tuple[str, str], clock: Callable[[], float]
    ) -> None:
        super().__init__(session, place, clock, asyncio.Event)

    async def checkpoint(self, *, timeout: float | None = None) -> None:
        """Return when the load may do its next step. Call it between steps of a long loop.

        While the slot is held it returns at once, after a turn of the event loop, so that even a
        loop without any other `await` lets the renewals through. A load that runs without a slot
        passes. A process that was stopped, or whose machine slept, past the TTL finds the slot
        unconfirmed here: the coordinator is asked at once, and its answer decides. What happens
        between two checkpoints is not watched here: see `lost`.

        Args:
            timeout: seconds to wait for the coordinator's word; None waits for ever.

        Raises:
            SlotLost: the slot is no longer this claim's, for certain: do no further step.
            SlotUnconfirmed: nobody knew within `timeout`.
            ClientClosed: nobody asks any more, and the slot is not held for certain.
        """
        await asyncio.sleep(0)
        if not self.certain:
            await self.ask(timeout)


class BlockingSlot(Slot[threading.Event]):
    """A slot of the blocking client; its marks are `threading.Event`s."""

    def __init__(
        self,
        session: Session,
        place: tuple[str, str],
        clock: Callable[[], float],
        call: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        super().__init__(session, place, clock, threading.Event)
        self._call = call

    def checkpoint(self, *, timeout: float | None = None) -> None:
        """Return when the load may do its next step; see `AsyncSlot.checkpoint`."""
        if not self.certain:
            self._call(self.ask(timeout))


S = TypeVar("S", bound=Slot[Any])

"""One `async with`: wait for the grant, hold, give back. Cancelled anywhere, it gives back too."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Generic

from agent_client.body import Body
from agent_client.errors import (
    CoordinatorUnavailable,
    Refused,
    SlotError,
    SlotLost,
    SlotTimeout,
    SlotUnconfirmed,
)
from agent_client.session import LISTED, Ending, Session, State
from agent_client.slot import S

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agent_client.asking import Asking
    from agent_client.messages import Queued
    from agent_client.speaking import Speaker

logger = logging.getLogger("agent_client")


class Taking(Generic[S]):
    """The context manager that `SlotClient.slot` returns. It can be entered once."""

    def __init__(
        self,
        speaker: Speaker,
        session: Session,
        slot: S,
        asking: Asking,
        *,
        cancels: bool = False,
    ) -> None:
        self.slot = slot
        self._speaker = speaker
        self._session = session
        self._asking = asking
        self._cancels = cancels
        self._changed = asyncio.Event()
        self._place: Queued | None = None
        self._state = session.state
        self._body: Body | None = None
        slot.ask = self.ask

    async def __aenter__(self) -> S:
        slot = await self.enter()
        if self._cancels:
            self.guard(Body())
        return slot

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ours = self._body is not None and await self._body.ended(kind)
        await self.leave()
        if ours:
            raise SlotLost(self.slot.describe("was lost"))

    async def enter(self) -> S:
        """Wait for the grant. Whatever ends the waiting leaves the queue."""
        self._speaker.join(self._session, self._look)
        try:
            await self._grant()
        except BaseException:
            await self.leave()
            raise
        return self.slot

    def guard(self, body: Body) -> None:
        """From now on a lost slot cancels `body`."""
        self._body = body
        self._look()

    async def leave(self) -> None:
        """Release what is there to release, and wait until that is confirmed or given up."""
        try:
            if self._session.state in LISTED:
                self._speaker.leave(self._session)
            while self._speaker.releasing(self._session):
                await self._change()
        finally:
            await self._speaker.forget(self._session)

    async def ask(self, timeout: float | None) -> None:
        """Wait until it is known whether the slot is held; what `checkpoint` is made of."""
        self._speaker.wake()  # it sends at once where it had not noticed yet
        try:
            async with asyncio.timeout(timeout):
                while self.slot.state is State.UNCONFIRMED and self.slot.governed:
                    self._speaker.check()
                    await self._change()
        except TimeoutError:
            what = f"could not be confirmed within {timeout:g} s"
            raise SlotUnconfirmed(self.slot.describe(what)) from None
        if not self.slot.certain:
            raise SlotLost(self.slot.describe(f"is {self._session.state}: do not go on"))

    async def _grant(self) -> None:
        """Return once the load may start; raise what keeps it from starting."""
        while self._session.state is State.WAITING:
            await self._change()
            self._speaker.check()
        if self._session.state not in LISTED:
            raise self._failure()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _look(self) -> None:
        """The speaker says that something may have changed."""
        state = self.slot.refresh()
        self._changed.set()
        self._tell_place()
        if state is not self._state:
            self._state = state
            self._tell_state(state)
        if state is State.LOST and self._body is not None:
            self._body.cancel()

    def _tell_state(self, state: State) -> None:
        if state is State.LOST:
            self._call("on_lost", self._asking.get("on_lost"), self.slot)
        elif state is State.UNCONFIRMED:
            self._call("on_unconfirmed", self._asking.get("on_unconfirmed"), self.slot)

    def _tell_place(self) -> None:
        place = self._session.place
        if place is None or self._session.state is not State.WAITING:
            return
        if _shown(place) != _shown(self._place):
            self._place = place
            self._call("on_queued", self._asking.get("on_queued"), place)

    def _call(self, name: str, callback: Callable[[Any], object] | None, told: object) -> None:
        """The owner's callback must not stop the renewals of all others."""
        if callback is not None:
            try:
                callback(told)
            except Exception:
                logger.exception("%s failed for claim %s", name, self._session.claim)

    def _failure(self) -> SlotError:
        describe, problem = self.slot.describe, self._session.problem
        if self._session.state is State.LOST:
            return SlotLost(describe("was lost in the moment of its grant"))
        if self._session.state is State.REFUSED and problem is not None:
            return Refused(describe(f"was refused: {problem}"), problem)
        if self._session.ending is Ending.UNAVAILABLE:
            after = self._session.patience.unavailable_after
            return CoordinatorUnavailable(
                describe(f"got no answer from a coordinator for {after:g} s")
            )
        place = f" (position {self._session.place.position})" if self._session.place else ""
        seconds = self._session.patience.timeout
        return SlotTimeout(describe(f"got no slot within {seconds:g} s{place}"))


def _shown(place: Queued | None) -> tuple[object, ...]:
    """What of a place is worth telling: the ticket is the coordinator's own business."""
    return () if place is None else (place.position, place.reason, place.holders)

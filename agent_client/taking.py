"""One `async with`: wait for the grant, hold, give back. Cancelled anywhere, it gives back too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Generic

from agent_client.errors import CoordinatorUnavailable, Refused, SlotError, SlotLost, SlotTimeout
from agent_client.session import LISTED, Ending, Session, State
from agent_client.slot import M, Slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from agent_client.client import SlotClient
    from agent_client.messages import Queued

logger = logging.getLogger("agent_client")


class Taking(Generic[M]):
    """The context manager that `SlotClient.slot` returns. It can be entered once."""

    def __init__(
        self,
        client: SlotClient,
        session: Session,
        slot: Slot[M],
        on_queued: Callable[[Queued], None] | None = None,
        *,
        cancels: bool = False,
    ) -> None:
        self.slot = slot
        self._client = client
        self._session = session
        self._on_queued = on_queued
        self._cancels = cancels
        self._changed = asyncio.Event()
        self._place: Queued | None = None
        self._body: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._cancelled = False

    async def __aenter__(self) -> Slot[M]:
        self._client.join(self._session, self._look)
        try:
            await self._grant()
        except BaseException:
            await self._give_back()
            raise
        self._body = asyncio.current_task()
        self._cancelling = self._body.cancelling() if self._body else 0
        self._look()
        return self.slot

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        body, self._body = self._body, None
        if self._cancelled and body is not None:
            if kind is None:  # the body ended before our cancellation reached it: take it back
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
            ours = body.uncancel() <= self._cancelling
            await self._client.forget(self._session)
            if ours and (kind is None or issubclass(kind, asyncio.CancelledError)):
                raise SlotLost(self._describe("was lost")) from error
            return
        await self._give_back()

    async def _grant(self) -> None:
        """Return once the load may start; raise what keeps it from starting."""
        while self._session.state is State.WAITING:
            self._changed.clear()
            await self._changed.wait()
            self._client.check()
        if self._session.state not in LISTED:
            raise self._failure()

    async def _give_back(self) -> None:
        """Release what is there to release, and wait until that is confirmed or given up."""
        try:
            if self._session.state in LISTED:
                self._client.leave(self._session)
            while self._client.releasing(self._session):
                self._changed.clear()
                await self._changed.wait()
        finally:
            await self._client.forget(self._session)

    def _look(self) -> None:
        """The client says that something may have changed."""
        self.slot.refresh()
        self._changed.set()
        self._tell_place()
        lost = self._session.state is State.LOST
        if lost and self._cancels and self._body is not None and not self._cancelled:
            self._cancelled = True
            self._body.cancel()

    def _tell_place(self) -> None:
        place = self._session.place
        if place is None or self._on_queued is None or self._session.state is not State.WAITING:
            return
        if _shown(place) != _shown(self._place):
            self._place = place
            try:
                self._on_queued(place)
            except Exception:  # the owner's callback must not stop the renewals of all others
                logger.exception("on_queued failed for claim %s", self._session.claim)

    def _failure(self) -> SlotError:
        problem = self._session.problem
        if self._session.state is State.REFUSED and problem is not None:
            return Refused(self._describe(f"was refused: {problem}"), problem)
        if self._session.ending is Ending.UNAVAILABLE:
            after = self._session.patience.unavailable_after
            return CoordinatorUnavailable(
                self._describe(f"got no answer from a coordinator for {after:g} s")
            )
        place = f" (position {self._session.place.position})" if self._session.place else ""
        seconds = self._session.patience.timeout
        return SlotTimeout(self._describe(f"got no slot within {seconds:g} s{place}"))

    def _describe(self, what: str) -> str:
        slot = self.slot
        return f"load {slot.load!r} on node {slot.node} in pool {slot.namespace} {what}"


def _shown(place: Queued | None) -> tuple[object, ...]:
    """What of a place is worth telling: the ticket is the coordinator's own business."""
    return () if place is None else (place.position, place.reason, place.holders)

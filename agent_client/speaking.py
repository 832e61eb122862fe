"""Speaks for the sessions of one process: sends what is due, feeds in answers, wakes who waits.

Everything that decides is in `session` and `agent`; nothing here knows what a slot is for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from typing import TYPE_CHECKING, Self

from agent_client.agent import Agent
from agent_client.errors import ClientClosed, NoAnswer
from agent_client.messages import said

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.session import Session
    from agent_client.settings import Settings
    from agent_client.sync import SyncRequest
    from agent_client.transport import Transport

SHORTEST_NAP, LONGEST_NAP = 0.001, 5.0
"""Seconds between two looks at the clock. asyncio's timers stand still while a machine sleeps, and
end a little early: within the clock's resolution, the time they wait for has not come yet."""

BARRED = frozenset({401, 403})
"""HTTP statuses of a coordinator that does not know us, or does not let us."""

logger = logging.getLogger("agent_client")


class Speaker:
    """One agent on one transport. `clock` tells seconds that go on while the machine sleeps."""

    def __init__(
        self, settings: Settings, transport: Transport, clock: Callable[[], float]
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._transport = transport
        self._agent = Agent(settings.agent, os.urandom(16).hex(), random.random)
        self._watchers: dict[str, Callable[[], None]] = {}
        self._wake = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._exchanges: list[asyncio.Task[None]] = []
        self._kept = False
        self._silent = self._barred = False

    async def __aenter__(self) -> Self:
        self._kept = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop speaking and close the connection. Slots still held end with their TTL."""
        self._kept = False
        await self._stop_running()
        await self._transport.close()

    async def depart(self, *, within: float = 1.0) -> bool:
        """Say the last words of a process that has to go while its loads may live on.

        One sync takes what waits out of the queue and marks what is held as ending, so that the
        coordinator looks at once whether the loads' Pods are over. Nothing held is released:
        leaving its `async with` afterwards releases nothing either, and the evidence about the
        Pod or the TTL frees it. Whoever still waits for a slot gets `ClientClosed`.

        Returns whether the coordinator answered within `within` seconds. Then the client is
        closed, for good. A second call says nothing more.
        """
        self._agent.depart(self._clock())
        try:
            async with asyncio.timeout(within):
                await self._stop_running()
                while not self._agent.departed:
                    await asyncio.sleep(self._agent.due(self._clock()) - self._clock())
                    await self._exchange(self._agent.request(self._clock()))
        except TimeoutError:
            pass
        finally:
            await self.close()
        return self._agent.departed

    async def _stop_running(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.cancel()
            await asyncio.gather(runner, return_exceptions=True)

    def join(self, session: Session, watcher: Callable[[], None]) -> None:
        """Speak for `session`; `watcher` is called whenever it may have changed."""
        if self._agent.departing:
            raise ClientClosed("this client has said its last words: make a new one")
        self._agent.join(session, self._clock())
        self._watchers[session.claim] = watcher
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="node-slots sync")
        self._wake.set()

    def leave(self, session: Session) -> None:
        """Release `session`, or take it out of the queue; `releasing` tells when that is done."""
        if self._agent.departing:
            return
        governed = session.governed
        self._agent.leave(session, self._clock())
        if not governed:  # it has no slot to give back
            self._agent.forget(session.claim)
        self._wake.set()

    def abandon(self, session: Session) -> None:
        """Stop speaking for `session` and release nothing: its TTL and its Pod decide."""
        self._agent.abandon(session)
        self.unwatch(session)

    def unwatch(self, session: Session) -> None:
        """Call the watcher of `session` no more; what is under way goes on by itself."""
        self._watchers.pop(session.claim, None)

    @property
    def transport(self) -> Transport:
        """What reaches the coordinator."""
        return self._transport

    @property
    def idle(self) -> bool:
        """Whether there is nothing to say to the coordinator, so that nothing is sent."""
        return self._agent.idle

    @property
    def silent_since(self) -> float | None:
        """When, on the client's clock, the coordinator stopped answering; None while it answers."""
        return self._agent.silent_since

    def releasing(self, session: Session) -> bool:
        """Whether the release of `session` is neither confirmed nor given up yet."""
        running = self._runner is not None and not self._runner.done()
        return running and session.claim in self._agent.releases

    async def forget(self, session: Session) -> None:
        """The owner of `session` is gone. A release not confirmed yet goes on by itself."""
        self.unwatch(session)
        if self._runner is not None and self._agent.idle and not self._kept:
            await asyncio.wait({self._runner})  # it closes the connection on its way out

    def check(self) -> None:
        """Raise what ended the sync loop, if something did; a waiting claim calls this."""
        if self._agent.departing or self._runner is None or self._runner.cancelled():
            raise ClientClosed("the client was closed while a slot was asked for")
        if self._runner.done():
            self._runner.result()

    def wake(self) -> None:
        """Look at the clock now: time may have jumped."""
        self._wake.set()

    async def _run(self) -> None:
        """Send what is due as long as there is something to say."""
        try:
            while not self._agent.idle:
                await self._serve()
                await self._hang_up()  # somebody may join meanwhile
        except BaseException:
            await self._hang_up()
            raise

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock()
            if (change := self._agent.next_change()) <= now:
                self._elapse(now)
            if self._agent.idle:
                return
            if (due := self._agent.due(now)) <= now:
                self._send(self._agent.request(now))
            else:
                await self._nap(min(due, change) - now)

    async def _hang_up(self) -> None:
        exchanges, self._exchanges = self._exchanges, []
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)
        if not self._kept:
            await self._transport.close()
        self._look()

    async def _nap(self, seconds: float) -> None:
        """A bare timer: `asyncio.timeout` ends a wait by cancelling it, which costs more."""
        seconds = min(max(seconds, SHORTEST_NAP), LONGEST_NAP)
        timer = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    def _elapse(self, now: float) -> None:
        for claim in self._agent.elapse(now):
            logger.warning("the release of claim %s was not confirmed: its TTL ends it", claim)
        self._look()

    def _look(self) -> None:
        """Everybody looks whether something changed."""
        for watcher in list(self._watchers.values()):
            watcher()

    def _send(self, request: SyncRequest) -> None:
        """The coordinator ends the request before this one; those before that hang: cut them."""
        self._exchanges = [task for task in self._exchanges if not task.done()]
        for task in self._exchanges[:-1]:
            task.cancel()
        self._exchanges.append(asyncio.create_task(self._exchange(request)))

    async def _exchange(self, request: SyncRequest) -> None:
        barred, trouble = False, ""
        try:
            reply = await self._transport.sync(request.body, request.timeout)
        except NoAnswer as error:
            self._agent.unanswered(request, self._clock())
            trouble = f"no coordinator answers at {self.settings.url} ({error})"
        else:
            self._agent.replied(request, reply, self._clock())
            barred = reply.status in BARRED
            if self._agent.silent_since is not None:
                told = said(reply)
                trouble = f"the coordinator at {self.settings.url} does not serve us ({told})"
        self._report(trouble, barred=barred)
        self._look()
        self._wake.set()

    def _report(self, trouble: str, *, barred: bool) -> None:
        """Tell the beginning and the end of an outage once, and what ran without a slot in it.

        That we are not let in is told once, too, however the outage began: somebody has to act.
        """
        silent = self._agent.silent_since is not None
        if silent and (not self._silent or (barred and not self._barred)):
            logger.warning("%s; retrying", trouble)
        if self._silent and not silent:
            logger.warning("the coordinator at %s answers again", self.settings.url)
        self._silent, self._barred = silent, silent and (barred or self._barred)
        if not silent and self._agent.ran_without:
            logger.warning(
                "%d load(s) ran without a slot while no coordinator answered",
                self._agent.ran_without,
            )
            self._agent.ran_without = 0

"""The sidecar as a whole: it serves until it is told to stop, drains, and says its last words."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_client.sidecar.desk import Desk
from agent_client.sidecar.health import Health
from agent_client.sidecar.ids import Ids
from agent_client.sidecar.keeper import Keeper
from agent_client.sidecar.lines import HOLDING, state_of
from agent_client.sidecar.named import Names
from agent_client.sidecar.overview import Overview
from agent_client.sidecar.reach import Reach
from agent_client.sidecar.routes import Routes
from agent_client.sidecar.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.sidecar.reach import Get
    from agent_client.sidecar.requests import Defaults
    from agent_client.speaking import Speaker

LAST_WORDS_WITHIN = 1.0
LOOK_EVERY = 5.0
"""Seconds between two looks whether the client is still at work."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sidecar is told at its start. Times in seconds.

    `name` begins its claim ids: two sidecars of one pool on one node need two names.
    """

    name: str
    defaults: Defaults
    adopt: float = 600.0
    drain: float = 25.0


class Stop:
    """The first word asks to stop after draining, the second to stop at once."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()

    def ask(self) -> None:
        """One more word."""
        (self.at_once if self.asked.is_set() else self.asked).set()


class Sidecar:
    """Speaks through `client` and asks beside it through `get`. `jitter` returns [0, 1)."""

    def __init__(
        self,
        client: Speaker,
        get: Get,
        plan: Plan,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._client = client
        self._plan = plan
        self._desk = Desk(client, clock)
        self._streams = Streams(self._desk)
        self._keeper = Keeper(self._desk, Names(Ids(plan.name), plan.adopt, plan.defaults.pod))
        self._reach = Reach(get, self._desk, self._keeper, jitter)
        overview = Overview(self._desk, self._streams, self._keeper)
        self.health = Health(self._desk, self._keeper, self._reach)
        """The handler for those who only look."""
        self.routes = Routes(self._streams, self._keeper, overview, self.health, plan.defaults)
        """The handler of the local API."""

    async def run(self, stop: Stop) -> None:
        """Work until `stop` is asked for and what is held has been given back, or time is up.

        Nothing that is still held then is released: the coordinator is told that its load may be
        over, and looks. Raises what broke, if something did.
        """
        async with self._client:
            work = [
                asyncio.create_task(part)
                for part in (self._reach.run(), self._keeper.run(), self._watch())
            ]
            ending = asyncio.create_task(self._end(stop))
            try:
                done, _ = await asyncio.wait({*work, ending}, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in (*work, ending):
                    task.cancel()
                await asyncio.gather(*work, ending, return_exceptions=True)
            await self._client.depart(within=LAST_WORDS_WITHIN)

    async def _watch(self) -> None:
        """Raise what ended the client's work: the sidecar is better started anew then."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if not self._client.idle:
                self._client.check()

    async def _end(self, stop: Stop) -> None:
        await stop.asked.wait()
        self._desk.stopping = True
        self._streams.stop()
        hurry = asyncio.create_task(stop.at_once.wait())
        drained = asyncio.create_task(self._drained())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._plan.drain):
                await asyncio.wait({hurry, drained}, return_when=asyncio.FIRST_COMPLETED)
        for task in (hurry, drained):
            task.cancel()
        await asyncio.gather(hurry, drained, return_exceptions=True)

    async def _drained(self) -> None:
        while any(self._holds()):
            await self._desk.dropped.wait()

    def _holds(self) -> list[bool]:
        now = self._desk.now()
        return [state_of(hold.session, now) in HOLDING for hold in self._desk.holds.values()]

"""Whether a coordinator is in reach, and what it has of an earlier life of this sidecar.

The loads' own requests tell that they are answered. This asks when there are none: at the start,
to learn what is to be taken up again, and now and then while nothing is held.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from agent_client.errors import NoAnswer
from agent_client.messages import MalformedError, read_problem
from agent_client.sidecar.adoption import Found, read_node

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agent_client.messages import Reply
    from agent_client.sidecar.desk import Desk
    from agent_client.sidecar.keeper import Keeper

    Get = Callable[[str, float], Awaitable[Reply]]

ANSWER_WITHIN = 5.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds between two questions while nobody answers."""
QUIET = 30.0
"""Seconds between two questions while there are no loads and somebody answers."""

logger = logging.getLogger("agent_client")


class Reach:
    """Asks through `get`. `jitter` returns numbers in [0, 1)."""

    def __init__(self, get: Get, desk: Desk, keeper: Keeper, jitter: Callable[[], float]) -> None:
        self.why = "the coordinator has not been asked yet"
        """Why the coordinator's answers cannot be used, as far as this knows; "" when they can."""
        self._get = get
        self._desk = desk
        self._keeper = keeper
        self._jitter = jitter
        self._path = desk.client.settings.node_path

    async def run(self) -> None:
        """Look up what there was, then look now and then, for ever."""
        pause = SHORTEST_PAUSE
        while (claims := await self._ask()) is None:
            await asyncio.sleep(pause * (0.5 + 0.5 * self._jitter()))
            pause = min(2 * pause, LONGEST_PAUSE)
        self._keeper.found(claims)
        while True:
            await asyncio.sleep(LONGEST_PAUSE * (0.5 + 0.5 * self._jitter()))
            if self._due():
                await self._ask()

    def _due(self) -> bool:
        """Whether nobody else asks, and the last answer is old, or there was none."""
        desk = self._desk
        old = desk.now() - desk.looked_at >= QUIET
        return desk.client.idle and (old or desk.silent or bool(self.why))

    async def _ask(self) -> list[Found] | None:
        """The node's claims; None when there is no usable answer, and `why` says so."""
        desk = self._desk
        try:
            reply = await self._get(self._path, ANSWER_WITHIN)
            claims, why = self._read(reply)
            desk.looked_at, desk.unseen_since = desk.now(), None
        except (NoAnswer, MalformedError) as error:
            claims, why = None, f"no coordinator answers: {error}"
            desk.unseen_since = desk.now() if desk.unseen_since is None else desk.unseen_since
        if why and why != self.why:
            logger.warning("%s", why)
        self.why = why
        return claims

    def _read(self, reply: Reply) -> tuple[list[Found] | None, str]:
        """The node's claims, or why they are not told. Raises `MalformedError`."""
        if reply.status == 200:
            return read_node(reply.payload), ""
        problem = read_problem(reply.payload)
        if not problem.passing:
            self._keeper.refused(problem)
        return None, f"the coordinator does not tell of this node: {problem}"

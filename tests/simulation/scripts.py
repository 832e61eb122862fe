"""Callers that are no agents: one claim at a time by PUT and DELETE, as a shell script does it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_client.errors import NoAnswer
from agent_client.messages import Terms, read_answer
from agent_client.session import Session, State
from tests.simulation.loads import Caller, Load, Sitting
from tests.simulation.net import shown

if TYPE_CHECKING:
    from random import Random

    from agent_client.messages import Reply
    from tests.simulation.loop import Process

TRIES = 30
"""DELETEs that are sent before the TTL is left to end it."""


class Script(Caller):
    """One script on a node. It judges by itself how long it holds, like an agent's session.

    Started anew it knows nothing of its last one's claim.
    """

    async def _run(self, process: Process, rng: Random) -> None:
        self.loads.clear()
        while True:
            await self._until_next(rng)
            await self._claim(process, rng)

    async def _claim(self, process: Process, rng: Random) -> None:
        uid = f"{self.name}-{self.world.next_number()}"
        ttl, seconds = rng.choice((10, 20)), rng.choice((0.1, 3.0, 20.0))
        load = self.loads[uid] = Load(uid, self.node, 0, ttl, seconds)
        session = Session(Terms(uid, f"load-{uid}", 0, ttl))
        sitting = Sitting(load, self, process, session)
        self.world.watcher.sits(sitting)
        session.ask(process.now())
        while session.listed and load.worked < load.seconds:
            await self._ask(process, session)
            if session.state is State.HELD:
                await self._work(load, rng.uniform(0.1, ttl / 3))
        load.given_up = True
        if session.listed:
            session.leave()
        await self._give_back(process, uid, rng)
        self._over(sitting)

    async def _work(self, load: Load, seconds: float) -> None:
        step = min(seconds, load.seconds - load.worked)
        await asyncio.sleep(step)
        load.worked += step

    async def _ask(self, process: Process, session: Session) -> None:
        terms: dict[str, Any] = session.terms.body()
        if session.grant is not None:
            terms["fencingToken"] = session.grant.token
        elif session.place is not None:
            terms["ticket"] = session.place.ticket
        sent = process.now()
        reply = await self._send("PUT", {"claims": [terms], "releases": [], "waitSeconds": 3})
        if reply is None or reply.status != 200:
            await asyncio.sleep(1.0)
            if reply is not None and reply.status in {404, 409, 410}:
                session.leave()
            return
        told = read_answer(reply.payload).told[session.claim]
        session.hear(told, sent, process.now())
        self.world.watcher.heard(self.name)
        if session.state is State.WAITING:
            await asyncio.sleep(0.2)

    async def _give_back(self, process: Process, uid: str, rng: Random) -> None:
        for _ in range(TRIES):
            reply = await self._send("DELETE", {"claims": [], "releases": [uid], "waitSeconds": 5})
            if reply is not None and reply.status == 200 and uid in reply.payload["released"]:  # type: ignore[index]
                return
            await asyncio.sleep(rng.uniform(0.2, 3.0))

    async def _send(self, verb: str, body: dict[str, Any]) -> Reply | None:
        net = self.world.net
        whole = {**body, "agent": self.name, "boot": f"{self.name}.{self.starts}", "sequence": 0}
        net.watcher.asked(self.name, self.node, whole)
        try:
            async with asyncio.timeout(12.0):
                reply = await net.ask(net.rng.choice(net.replicas), self.node, whole, verb=verb)
        except (NoAnswer, TimeoutError):
            return None
        net.log(self.name, f"{verb} <- {shown(reply)}")
        return reply

"""Between agents and replicas: any replica answers, messages get lost, come twice, come late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from agent_client.errors import NoAnswer
from tests.simulation.loop import PROCESS, Mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from agent_client.messages import Reply
    from tests.simulation.log import Log
    from tests.simulation.loop import Process, VirtualLoop
    from tests.simulation.plan import NetFaults
    from tests.simulation.replicas import Replica
    from tests.simulation.watcher import Watcher

Body = dict[str, Any]

READING = 3
"""Rounds of its loop in which a replica reads a request from its socket and begins to handle it."""
NOTICED = 0.5
"""Seconds until a replica notices that a caller went away, where it ever does."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One request's way: seconds there and back (infinity: lost), and when a copy comes again."""

    there: float
    back: float
    again: float = inf
    half_open: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked: a sync, or a single claim in the same form (PUT, DELETE)."""

    verb: str
    node: str
    body: Body
    passed_on: bool


class Network:
    """Brings requests to replicas. Each caller stays with one replica until that fails."""

    def __init__(
        self, loop: VirtualLoop, rng: Random, faults: NetFaults, log: Log, watcher: Watcher
    ) -> None:
        self.loop = loop
        self.rng = rng
        self.faults = faults
        self.log = log
        self.watcher = watcher
        self.replicas: list[Replica] = []
        self.deaths = 0
        """Agents that are to die before they hear of a grant."""
        self.on_death: Callable[[str], object] = lambda _agent: None

    def trip(self) -> Trip:
        rng, faults = self.rng, self.faults
        there, back = rng.uniform(0.001, 0.01), rng.uniform(0.001, 0.01)
        if rng.random() < faults.slow:
            there, back = rng.uniform(0, 3), rng.uniform(0, 3)
        lost, unanswered = rng.random() < faults.lost, rng.random() < faults.unanswered
        again = (
            rng.choice((0.1, 2.0, 30.0)) * rng.random() if rng.random() < faults.repeated else inf
        )
        return Trip(
            inf if lost else there,
            inf if unanswered else back,
            again,
            half_open=rng.random() < faults.half_open,
        )

    async def ask(
        self,
        replica: Replica,
        node: str,
        body: Body,
        *,
        verb: str = "sync",
        passed_on: bool = False,
    ) -> Reply:
        """The replica's reply. Raises `NoAnswer` where it is not there; may hang for ever."""
        trip = self.trip()
        reply: asyncio.Future[Reply] = self.loop.create_future()
        asked = Asked(verb, node, body, passed_on)
        visit = Visit(self, replica, asked, trip, reply)
        if trip.there < inf:
            self.loop.in_world(trip.there, visit.arrive)
        if trip.again < inf:
            nobody: asyncio.Future[Reply] = self.loop.create_future()
            again = Visit(self, replica, asked, trip, nobody)
            self.loop.in_world(trip.again, again.arrive)
        caller = PROCESS.get()
        assert caller is not None, "only processes ask"
        caller.calls[visit] = None
        try:
            return await reply
        finally:
            caller.calls.pop(visit, None)
            if not reply.done() or reply.cancelled():
                visit.gone()


class Visit:
    """One request at a replica."""

    def __init__(
        self,
        net: Network,
        replica: Replica,
        asked: Asked,
        trip: Trip,
        reply: asyncio.Future[Reply],
    ) -> None:
        self.net = net
        self.replica = replica
        self.verb, self.node, self.body = asked.verb, asked.node, asked.body
        self.passed_on = asked.passed_on
        self._trip = trip
        self._reply = reply
        self.arrived = 0.0
        self.began = 0.0
        self.paused = 0.0
        self._process: Process | None = None
        self._handler: asyncio.Task[None] | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None, "it has not arrived"
        return self._process

    def __str__(self) -> str:
        """Who says what: claims with * where they show a token, and releases after a minus."""
        claims = [c["claim"] + ("*" if "fencingToken" in c else "") for c in self.body["claims"]]
        left = [f"-{claim}" for claim in self.body["releases"]]
        who = f"{self.body['boot']} {self.verb} {self.body['sequence']}"
        return " ".join([who, *claims, *left, f"wait={self.body['waitSeconds']}"])

    def arrive(self) -> None:
        process = self.replica.process
        if process is None or process.mode is Mode.DEAD or not self.replica.listening:
            self._fail("connection refused")
            return
        self._process, self.arrived = process, self.net.loop.time()
        process.visits[self] = None
        self._handler = process.start(self._serve())

    async def _serve(self) -> None:
        try:
            for _ in range(READING):
                await asyncio.sleep(0)
            reply = await self.replica.answer(self)
        finally:
            if self._process is not None:
                self._process.visits.pop(self, None)
        if self._trip.back < inf:
            self.net.loop.in_world(self._trip.back, self._tell, reply)

    def _tell(self, reply: Reply) -> None:
        if not self._reply.done():
            self._reply.set_result(reply)

    def reset(self) -> None:
        """The replica's machine says that nobody is there any more."""
        self.net.loop.in_world(0.001, self._fail, "connection reset")

    def _fail(self, why: str) -> None:
        if not self._reply.done():
            self._reply.set_exception(NoAnswer(why))

    def gone(self) -> None:
        """The caller went away; a half-open connection does not tell."""
        if not self._trip.half_open and self._handler is not None:
            self.net.loop.in_world(self.net.rng.random() * NOTICED, self._cancel)

    def _cancel(self) -> None:
        if self._handler is not None and self._process is not None:
            if not self.began:
                self._process.visits.pop(self, None)
            self._process.context.copy().run(self._handler.cancel)


class SimTransport:
    """An agent's `Transport`: it stays with a replica until that does not answer."""

    def __init__(self, net: Network, agent: str, node: str) -> None:
        self._net = net
        self._agent = agent
        self._node = node
        self._replica: Replica | None = None

    async def sync(self, body: Body, timeout: float) -> Reply:
        replica = self._replica or self._net.rng.choice(self._net.replicas)
        self._replica = replica
        self._net.watcher.asked(self._agent, self._node, body)
        try:
            async with asyncio.timeout(timeout):
                reply = await self._net.ask(replica, self._node, body)
        except TimeoutError:
            self._failed(body, "timed out")
            raise NoAnswer("timed out") from None
        except NoAnswer as error:
            self._failed(body, str(error))
            raise
        await self._maybe_die(reply)
        self._net.log(self._agent, f"sync {body['sequence']} <- {shown(reply)}")
        self._net.loop.in_world(0.0, self._net.watcher.heard, self._agent)
        return reply

    async def _maybe_die(self, reply: Reply) -> None:
        """Its process dies before it hears of its grant."""
        net, payload = self._net, reply.payload
        granted = isinstance(payload, dict) and any(
            told["state"] == "granted" for told in payload.get("claims", ())
        )
        if net.deaths and granted:
            net.deaths = 0
            net.on_death(self._agent)
            await asyncio.sleep(0)

    def _failed(self, body: Body, why: str) -> None:
        self._replica = None
        self._net.log(self._agent, f"sync {body['sequence']}: {why}")

    async def close(self) -> None:
        self._replica = None


def shown(reply: Reply) -> str:
    """A reply in one line."""
    payload: Any = reply.payload
    if reply.status != 200:
        return f"{reply.status} {payload.get('type', '').rpartition('/')[2]}"
    claims = " ".join(_claim(claim) for claim in payload["claims"])
    return f"200 term={payload['term']} {claims} released={payload['released']}"


def _claim(claim: Body) -> str:
    more = claim.get("fencingToken") or claim.get("ticket") or claim["problem"]["title"]
    slot = f"@{claim['slot']}" if "slot" in claim else ""
    return f"{claim['claim']}={claim['state']}{slot}({more})"

"""A small coordinator in memory that speaks the sync protocol and misbehaves when told to."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from agent_client.errors import NoAnswer
from agent_client.messages import PROBLEMS, Reply

if TYPE_CHECKING:
    from collections.abc import Callable


def problem(name: str, status: int, **extra: Any) -> dict[str, Any]:
    title = name.replace("-", " ")
    return {"type": PROBLEMS + name, "title": title, "status": status, "detail": title, **extra}


class FakeCoordinator:
    """One node with `limit` slots. It is a `Transport`, and `fake_server` puts it behind HTTP."""

    def __init__(self, limit: int = 1) -> None:
        self.limit = limit
        self.term = 7
        self.down = False
        self.problem: Reply | None = None
        """Answered to every request while set."""
        self.judge: Callable[[dict[str, Any]], Reply | None] = lambda _: self.problem
        self.delay = 0.0
        """Seconds between acting on a request and answering it."""
        self.refusals: dict[str, dict[str, Any]] = {}
        self.keeps_releases = False
        """Never confirms a release."""
        self.longest_ttl = 3600
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.holders: dict[int, str] = {}
        self.tokens: dict[str, int] = {}
        self.queue: list[str] = []
        self.tickets: dict[str, str] = {}
        self.lost: set[str] = set()
        self.released: list[str] = []
        self.closed = 0
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()
        self._latest: dict[str, int] = {}

    async def close(self) -> None:
        self.closed += 1

    async def sync(self, body: dict[str, Any], timeout: float) -> Reply:
        self.bodies.append(body)
        self.times.append(asyncio.get_running_loop().time())
        if self.down:
            raise NoAnswer("connection refused")
        if (verdict := self.judge(body)) is not None:
            return verdict
        try:
            async with asyncio.timeout(timeout):
                return await self._sync(body)
        except TimeoutError as error:
            raise NoAnswer("timed out") from error

    async def _sync(self, body: dict[str, Any]) -> Reply:
        self._latest[body["boot"]] = body["sequence"]
        self._take(body)
        self.touch()
        await asyncio.sleep(self.delay)
        before = self._states(body)
        loop = asyncio.get_running_loop()
        until = loop.time() + body["waitSeconds"]
        while not self._news(body, before) and loop.time() < until:
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                break
            if self.down:
                raise NoAnswer("connection reset")
        done = [] if self.keeps_releases else [c for c in body["releases"] if c in self.released]
        answer = {"term": self.term, "sequence": body["sequence"], "claims": self._states(body)}
        return Reply(200, {**answer, "released": done})

    def touch(self) -> None:
        """Grant what can be granted and wake every long poll."""
        self._grant()
        self._changed.set()
        self._changed = asyncio.Event()

    def lose(self, claim: str) -> None:
        """An operator clears the Lease of `claim`."""
        self.holders = {slot: c for slot, c in self.holders.items() if c != claim}
        self.lost.add(claim)
        self.touch()

    def stop(self) -> None:
        self.down = True
        self.touch()

    def start(self) -> None:
        """A new leader: it knows the holders from their Leases, and nobody who waits."""
        self.down = False
        self.term += 1
        self.queue.clear()

    def _take(self, body: dict[str, Any]) -> None:
        for claim in body["releases"]:
            self.holders = {slot: c for slot, c in self.holders.items() if c != claim}
            self.queue = [c for c in self.queue if c != claim]
            self.released.append(claim)
        for element in body["claims"]:
            claim = element["claim"]
            known = claim in self.queue or claim in self.holders.values() or claim in self.lost
            if not known and claim not in self.refusals and claim not in self.released:
                self.queue.append(claim)
                self.tickets[claim] = element.get("ticket") or f"{self.term}.{next(self._numbers)}"
        self.queue.sort(key=lambda c: [int(part) for part in self.tickets[c].split(".")])
        self._grant()

    def _grant(self) -> None:
        for slot in range(self.limit):
            if slot not in self.holders and self.queue:
                claim = self.holders[slot] = self.queue.pop(0)
                self.tokens[claim] = 1000 + next(self._numbers)

    def _states(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._state(element) for element in body["claims"]]

    def _state(self, element: dict[str, Any]) -> dict[str, Any]:
        claim = element["claim"]
        if claim in self.refusals:
            return {"claim": claim, "state": "refused", "problem": self.refusals[claim]}
        if claim in self.lost:
            return {"claim": claim, "state": "lost", "problem": problem("slot-lost", 409)}
        for slot, holder in self.holders.items():
            if holder == claim:
                grant: dict[str, Any] = {"slot": slot, "lease": f"node1-slot-{slot}"}
                grant["ttlSeconds"] = min(element["ttlSeconds"], self.longest_ttl)
                state = {"claim": claim, "state": "granted", "term": self.term}
                return {**state, **grant, "fencingToken": self.tokens[claim]}
        if claim in self.released:
            return {"claim": claim, "state": "refused", "problem": problem("released", 410)}
        place = {"position": self.queue.index(claim) + 1, "ticket": self.tickets[claim]}
        reason = f"{len(self.holders)} of {self.limit} slots of node1 are held"
        holders = [{"claim": c, "load": c, "lease": "l"} for c in self.holders.values()]
        state = {"claim": claim, "state": "queued", "term": self.term, "reason": reason}
        return {**state, **place, "holders": holders}

    def _news(self, body: dict[str, Any], before: list[dict[str, Any]]) -> bool:
        if self._latest[body["boot"]] != body["sequence"] or self._states(body) != before:
            return True
        if body["releases"] and not self.keeps_releases:
            return True
        return any(
            state["state"] in {"lost", "refused"}
            or (state["state"] == "queued" and element.get("ticket") != state["ticket"])
            or (
                state["state"] == "granted" and element.get("fencingToken") != state["fencingToken"]
            )
            for element, state in zip(body["claims"], self._states(body), strict=True)
        )

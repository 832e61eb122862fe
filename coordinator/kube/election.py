"""Leader election on a Lease: the requests and timers around `coordinator.kube.candidate`.

No wall clock decides anything, and no request outlives the leadership that it was sent under.
What is promised is a deadline: whoever answers must look at the clock and at `Elector.deadline`,
since a task that was to end at the deadline may itself stand still. Not promised: a single leader
when clocks run at different speeds by more than a half, or when an operator's hand takes part.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.kube.candidate import Candidate, Leader, Read, Timing, Wait, Write
from coordinator.kube.election_record import (
    Entry,
    Record,
    parse,
    render_create,
    render_release,
    render_update,
)
from coordinator.kube.leases import leases_path
from coordinator.kube.reflector import Broken, Changed, Deleted, Listed, Reflector, Watching

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from coordinator.kube.answers import Json
    from coordinator.kube.client import KubeClient
    from coordinator.kube.reflector import StreamEvent

__all__ = ["Elector", "Leader", "Timing"]

REQUEST = 5.0
"""Seconds at most for one request; half of `Timing.renew` where that is less."""

RELEASES = 3
"""Attempts to give leadership up; after that it expires."""

_SHORTEST = 0.001
"""Seconds. Less may be too little for a clock to move at all."""


def _nothing(_error: errors.ApiError | None = None) -> None:
    """Nobody wants to know."""


class Elector:
    """One process's part in the election of one leader.

    `identity` must never be used again, not even by this process's next start. `clock` is the one
    that decides and goes on while the machine sleeps; `stamp` gives the wall time as a MicroTime,
    for people. `told` hears of each failed request, and None once all is well again.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        *,
        identity: str,
        url: str,
        clock: Callable[[], float],
        stamp: Callable[[], str],
        rng: Random,
        timing: Timing | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        told: Callable[[errors.ApiError | None], None] = _nothing,
    ) -> None:
        self.identity = identity
        self.leader: Leader | None = None
        """Itself while it leads, else the holder that was seen, until its time is over."""
        self.trouble = ""
        """What the last request failed with; "" while all is well."""
        self._client = client
        self._collection = leases_path(namespace)
        self._path = leases_path(namespace, name)
        self._name = name
        self._timing = timing = timing or Timing()
        self._clock = clock
        self._stamp = stamp
        self._sleep = sleep
        self._told = told
        self._ill: dict[str, bool] = {}
        self._candidate = Candidate(identity, url, timing, rng)
        self._reflector = Reflector(
            client,
            self._collection,
            rng=rng,
            params={"fieldSelector": f"metadata.name={name}"},
            clock=clock,
            sleep=sleep,
        )
        self._changed: Callable[[], None] = _nothing
        self._shown: tuple[bool, Leader | None] = (False, None)
        self._news = asyncio.Event()

    @property
    def deadline(self) -> float:
        """The time on `clock` until which it leads; -inf while it does not."""
        return self._candidate.deadline

    @property
    def url(self) -> str:
        """Where this process's API is, told with the next write."""
        return self._candidate.me.url

    @url.setter
    def url(self, url: str) -> None:
        self._candidate.me = Leader(self.identity, url)

    async def run(self, changed: Callable[[], None]) -> None:
        """Takes part until cancelled.

        `changed` is called when leadership begins or ends and when `leader` changes, not at every
        renewal; leadership that is lost and won again is told twice. What it raises ends this.
        """
        self._changed = changed
        works = (self._reflector.run(self._take), self._guard(), self._campaign())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:  # in this order, where a TaskGroup ends them in the order of their addresses
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def release(self) -> bool:
        """Gives leadership up, so that others need not wait; to be called after `run` has ended.

        Returns whether that is known to have taken effect; if not, the Lease expires. Ends within
        the time of one request.
        """
        self._candidate.resign()
        self.leader = None
        self._changed = _nothing
        with suppress(TimeoutError, errors.ApiError):
            async with asyncio.timeout(self._patience):
                return await self._release()
        return False

    # --- three tasks: what the watch says, what lapses, what is to be sent ----------------------

    def _take(self, event: StreamEvent) -> None:
        now = self._clock()
        match event:
            case Listed():
                found = self._parse(event.items[0]) if event.items else None
                version = int(event.version) if event.version.isdecimal() else -1
                self._candidate.listed(found, version, now)
            case Changed():
                found = self._parse(event.obj)
                self._candidate.heard(found, found.version, now)
            case Deleted():
                self._candidate.heard(None, self._parse(event.obj).version, now)
            case Broken():
                self._trouble("watch", event.error)
            case Watching():
                self._well("watch")
        if self._candidate.other:  # so nothing is left that it could fail at
            self._well("election")
        self._show()
        self._news.set()

    async def _guard(self) -> None:
        """Ends what is over, even while a request hangs. A new deadline is never nearer than one
        nap: it is half of `renew` away at least, as no request takes longer than the other half.
        """
        while True:
            await self._sleep(self._nap(self._show()))

    async def _campaign(self) -> None:
        while True:
            self._news.clear()
            match self._candidate.step(self._clock()):
                case Wait(until):
                    await self._rest(until)
                case Read():
                    await self._read()
                case Write(base):
                    await self._write(base)
            self._show()

    async def _rest(self, until: float) -> None:
        """Until the time, or news."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._nap(until)):
                await self._news.wait()

    def _nap(self, until: float) -> float:
        """Seconds to sleep at most at a stretch: the loop's timers stand still while a machine
        sleeps, `clock` does not.
        """
        longest = min(self._timing.retry, self._patience)
        return min(max(until - self._clock(), _SHORTEST), longest)

    def _show(self) -> float:
        """Tells of what has changed; returns when the next thing lapses."""
        now = self._clock()
        lapse = self._candidate.lapse(now)
        self.leader = self._candidate.leader(now)
        shown = (self._candidate.deadline > -inf, self.leader)
        if shown != self._shown:
            self._shown = shown
            self._changed()
        return lapse

    # --- requests -----------------------------------------------------------------------------

    @property
    def _patience(self) -> float:
        return min(REQUEST, self._timing.renew / 2)

    async def _read(self) -> None:
        sent = self._clock()
        self._candidate.reading()
        try:
            found = await self._get(sent)
        except errors.ApiError as error:
            self._failed(error, sent)
            return
        self._show()  # a deadline that passed meanwhile is told first
        self._candidate.saw(found, sent, self._clock())
        if self._candidate.other:
            self._well("election")

    async def _write(self, base: Record | None) -> None:
        sent = self._clock()
        self._candidate.sending()
        try:
            written = await self._send(base, sent)
        except (errors.Conflict, errors.AlreadyExists):
            self._candidate.refused(sent)
        except errors.ApiError as error:
            self._failed(error, sent)
        else:
            self._show()  # leadership that ended before this answer is not prolonged by it
            self._candidate.wrote(base, written, sent, self._clock())
            self._well("election")

    def _failed(self, error: errors.ApiError, sent: float) -> None:
        self._candidate.failed(sent, self._clock(), error.retry_after)
        self._trouble("election", error)

    async def _get(self, now: float) -> Record | None:
        try:
            return self._parse(await self._request("GET", self._path, None, now))
        except errors.NotFound:
            return None

    async def _send(self, base: Record | None, now: float) -> Record:
        entry = Entry(self.identity, self.url, self._timing.lease, self._stamp())
        if base is None:
            body = render_create(self._name, entry)
            return self._parse(await self._request("POST", self._collection, body, now), "POST")
        return await self._put(render_update(base, entry), now)

    async def _put(self, body: bytes, now: float) -> Record:
        return self._parse(await self._request("PUT", self._path, body, now), "PUT")

    async def _request(self, method: str, path: str, body: bytes | None, now: float) -> Json:
        left = self.deadline - now if now < self.deadline else inf
        timeout = max(min(self._patience, left), _SHORTEST)
        return await self._client.request(method, path, body=body, timeout=timeout)

    async def _release(self) -> bool:
        sent = False
        for _ in range(RELEASES):
            with suppress(errors.UnknownOutcome, errors.Conflict):
                if self._candidate.doubt:
                    await self._read()
                base = self._candidate.record
                if self._candidate.doubt or base is None or not self._candidate.holds:
                    return sent and not self._candidate.doubt
                self._candidate.sending()
                sent = True
                await self._put(render_release(base), self._clock())
                return True
        return False

    def _parse(self, obj: Json, method: str = "GET") -> Record:
        return parse(call_of(method, self._path), obj)

    # --- telling ------------------------------------------------------------------------------

    def _trouble(self, what: str, error: errors.ApiError) -> None:
        self._ill[what] = True
        self.trouble = str(error)
        self._told(error)

    def _well(self, what: str) -> None:
        if self._ill.pop(what, False) and not self._ill:
            self.trouble = ""
            self._told(None)

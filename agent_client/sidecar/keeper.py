"""The named loads at work: what `Names` decides is done by the client, and waited for."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from agent_client.sidecar import lines
from agent_client.sidecar.desk import Bell, Desk, Hold
from agent_client.sidecar.named import Names, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent_client.messages import Problem
    from agent_client.session import Session
    from agent_client.sidecar.adoption import Found
    from agent_client.sidecar.entry import Entry
    from agent_client.sidecar.requests import Wish

LONGEST_NAP = 5.0
"""Seconds between two looks at the clock: asyncio's timers stand still while a machine sleeps."""


class Keeper:
    """Keeps the named loads. `run` lets time pass for them."""

    def __init__(self, desk: Desk, names: Names) -> None:
        self.names = names
        self._desk = desk
        self._holds: dict[str, Hold] = {}
        self._bell = Bell()
        self._entered = Bell()

    def put(self, wish: Wish) -> Entry:
        """The load of this name, asked for if it is new. Raises `Failed`."""
        if wish.load not in self.names.entries:
            self._desk.admit(lone=sum(entry.lone for entry in self.names.entries.values()))
        entry = self.names.put(wish, self._desk.now())
        self._perform()
        self._entered.ring()
        return entry

    def get(self, load: str) -> Entry | None:
        """The load of this name, or None."""
        entry = self.names.get(load, self._desk.now())
        self._perform()
        return entry

    def delete(self, load: str) -> bool:
        """Give back what the load has; `releasing` tells when that is done.

        False: there is no such load, or it is not known yet whether there is.
        """
        there = self.names.known and self.names.delete(load, self._desk.now())
        self._perform()
        self._bell.ring()
        return there

    def releasing(self, load: str) -> bool:
        """Whether a slot of this load has still to be confirmed as given back."""
        return any(session.terms.load == load for session in self.names.going.values())

    def found(self, claims: Sequence[Found]) -> None:
        """What the coordinator has of an earlier life; said once."""
        self.names.found(claims, self._desk.now())
        self._perform()
        self._entered.ring()
        self._bell.ring()

    def refused(self, problem: Problem) -> None:
        """The coordinator will not tell what it has, and would grant nothing either."""
        self.names.refused(problem, self._desk.now())
        self._bell.ring()

    def state_of(self, entry: Entry) -> str:
        """The API's word for how the load stands now."""
        return lines.DORMANT if entry.dormant else lines.state_of(entry.session, self._desk.now())

    def decided(self, entry: Entry) -> bool:
        """Whether there is more to say than that it waits, or is asked for after a restart."""
        state = self.state_of(entry)
        return state != lines.QUEUED and (state != lines.UNCONFIRMED or entry.session.heard)

    def told(self, entry: Entry) -> dict[str, Any]:
        """How the load stands now."""
        if entry.dormant:
            return {"load": entry.load, "state": lines.DORMANT}
        told = {"load": entry.load, **self._desk.line(entry.session, entry.since)}
        if entry.lone and told["state"] == lines.QUEUED and not self._desk.silent:
            told["reason"] = lines.LOOKING_UP
        return told

    def settle(self, entry: Entry) -> None:
        """A client is being told how the load ended."""
        self.names.told(entry, self._desk.now())

    async def until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until `condition` holds, for at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    await self._bell.wait()

    async def run(self) -> None:
        """Let time pass for the named loads, for ever."""
        while True:
            self.names.elapse(self._desk.now())
            self._perform()
            self._bell.ring()
            left = self.names.next_change() - self._desk.now()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(left, 0.0), LONGEST_NAP)):
                    await self._entered.wait()

    def _perform(self) -> None:
        """Let the client do what was decided."""
        todo = self.names.todo
        while todo:
            step, entry, session = todo.popleft()
            if step is Step.LEAVE:
                self._leave(session)
            elif step is Step.ABANDON:
                self._desk.client.abandon(session)
                self._drop(session)
            elif not self._join(entry, session):
                todo.appendleft((step, entry, session))
                break

    def _join(self, entry: Entry, session: Session) -> bool:
        """Returns whether there was room; after a restart there may be none for a moment."""

        def look() -> None:
            self._look(entry, session)

        try:
            self._holds[session.claim] = self._desk.begin(session, entry.since, look)
        except ValueError:
            return False
        return True

    def _leave(self, session: Session) -> None:
        hold = self._holds[session.claim]
        hold.leave()
        self._confirm(hold)

    def _look(self, entry: Entry, session: Session) -> None:
        """The session, which is or was this entry's, may have changed."""
        self._bell.ring()
        if (hold := self._holds.get(session.claim)) is None:
            return  # it is just being joined
        if session.claim in self.names.going:
            self._confirm(hold)
        elif hold.over:
            self._drop(session)
            self.names.heard(entry, self._desk.now())
            self._perform()

    def _confirm(self, hold: Hold) -> None:
        if not hold.releasing:
            self.names.released(hold.session, self._desk.now())
            self._drop(hold.session)

    def _drop(self, session: Session) -> None:
        self._desk.drop(self._holds.pop(session.claim))

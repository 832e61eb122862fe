"""What all loads of a sidecar share: who speaks for them, how many there are, what was counted."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Any

from agent_client.sidecar import lines
from agent_client.sidecar.problems import Failed, made
from agent_client.sidecar.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.session import Session
    from agent_client.speaking import Speaker

MOST_LOADS = 1000
"""Loads that hold or wait at a time, as many as one agent may speak for."""


class Bell:
    """Wakes everybody who waits for it."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def ring(self) -> None:
        """Something changed."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Return at the next ring."""
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()


class Hold:
    """One session that the client speaks for. `on_change` is called when it may have changed."""

    __slots__ = ("_desk", "_left", "_on_change", "_shown", "bell", "session", "since", "version")

    def __init__(
        self, desk: Desk, session: Session, since: float, on_change: Callable[[], None] | None
    ) -> None:
        self.session = session
        self.since = since
        self.version = 0
        """Grows with everything that is worth a new line."""
        self.bell = Bell()
        self._desk = desk
        self._on_change = on_change
        self._left = False
        self._shown: tuple[object, ...] = ()

    @property
    def over(self) -> bool:
        """Whether nothing is held and nothing waited for any more."""
        return lines.problem_of(self.session) is not None or self._left

    @property
    def releasing(self) -> bool:
        """Whether the coordinator has still to confirm that it was given back."""
        return self._desk.client.releasing(self.session)

    def told(self) -> dict[str, Any]:
        """How the session stands now."""
        return self._desk.line(self.session, self.since)

    def look(self) -> None:
        """The client says that the session may have changed."""
        desk = self._desk
        shown = lines.shown(self.session, desk.now(), silent=desk.silent)
        if shown != self._shown:
            self.version += 1
            self.bell.ring()
            desk.tally.note(self._shown, shown, desk.now() - self.since)
            self._shown = shown
        if self._on_change is not None:
            self._on_change()

    def leave(self) -> None:
        """Give the slot back, or leave the queue, as far as there is something to leave."""
        if not self._left:
            self._left = True
            if self.session.listed or not self.session.governed:
                self._desk.client.leave(self.session)


class Desk:
    """Begins and ends holds, and knows them all. `clock` is the client's."""

    def __init__(self, client: Speaker, clock: Callable[[], float]) -> None:
        self.client = client
        self.now = clock
        self.tally = Tally()
        self.place = (client.settings.namespace, client.settings.node)
        self.holds: dict[str, Hold] = {}
        self.stopping = False
        self.looked_at = -inf
        """When the coordinator was last asked beside the loads, and answered."""
        self.unseen_since: float | None = None
        """Since when such questions find no answer."""
        self.dropped = Bell()

    @property
    def silent_since(self) -> float | None:
        """When the coordinator stopped answering; None while it answers."""
        said = self.client.silent_since
        if said is None or (self.client.idle and self.looked_at > said):
            return self.unseen_since if self.client.idle else None
        return said

    @property
    def silent(self) -> bool:
        """Whether a coordinator was asked and does not answer."""
        return self.silent_since is not None

    def line(self, session: Session, since: float) -> dict[str, Any]:
        """How `session`, asked for at `since`, stands now."""
        return lines.line(session, self.now(), since, self.place, silent=self.silent)

    def admit(self, lone: int = 0) -> None:
        """Raise `Failed` if no new load is taken, beside those held and `lone` others."""
        if self.stopping:
            raise Failed(made(503, "stopping", "the sidecar is being stopped and takes no loads"))
        if len(self.holds) + lone >= MOST_LOADS:
            detail = f"{MOST_LOADS} loads hold or wait already: try again when some have ended"
            raise Failed(made(429, "too-many-loads", detail))

    def begin(
        self, session: Session, since: float, on_change: Callable[[], None] | None = None
    ) -> Hold:
        """Speak for `session` from now on."""
        hold = Hold(self, session, since, on_change)
        self.client.join(session, hold.look)
        self.holds[session.claim] = hold
        hold.look()
        return hold

    def end(self, hold: Hold) -> None:
        """Give back what it has, and drop it. The release goes on by itself."""
        hold.leave()
        self.drop(hold)

    def drop(self, hold: Hold) -> None:
        """Nobody looks at it any more."""
        self.holds.pop(hold.session.claim, None)
        self.client.unwatch(hold.session)
        self.dropped.ring()

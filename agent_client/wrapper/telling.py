"""What the wrapper says on standard error: in plain lines, or one JSON object an event.

`line` has the third way: one line that updates, on a terminal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.messages import Queued, Waiter
    from agent_client.slot import AsyncSlot

REMINDER = 60.0
"""Seconds between two plain lines while nothing changes."""


class Teller(Protocol):
    """Who tells people or programs what happens. Times are seconds."""

    every: float
    """So often `tick` is to be called during the waiting."""

    def queued(self, place: Queued) -> None:
        """The claim's place is new, or its reason, or who holds."""

    def tick(self, silent: float | None) -> None:
        """Time passes in the queue; no coordinator has answered for `silent` seconds, if any."""

    def granted(self, slot: AsyncSlot) -> None:
        """The waiting is over, and well."""

    def stop_waiting(self) -> None:
        """The waiting is over, whichever way. It may be called more than once."""

    def trouble(self, event: str, text: str, **details: object) -> None:
        """Something that people have to know also when nothing else is told."""

    def note(self, event: str, **details: object) -> None:
        """A step that only a program wants to follow."""


class Plain:
    """Lines for a log: each new place once, a reminder now and then, and every trouble.

    `waited` tells the seconds since the wrapper began.
    """

    every = REMINDER

    def __init__(
        self, write: Callable[[str], None], waited: Callable[[], float], *, quiet: bool = False
    ) -> None:
        self._write = write
        self._waited = waited
        self._quiet = quiet
        self._place: Place | None = None

    def queued(self, place: Queued) -> None:
        """As in `Teller`."""
        self._place = Place(place, self._waited())
        self._say(f"waiting {self._place.told(self._waited())}")

    def tick(self, silent: float | None) -> None:
        """As in `Teller`."""
        waited = span(self._waited())
        if silent is not None:
            self._say(f"still waiting after {waited}: no coordinator answers for {span(silent)}")
        elif self._place is not None:
            self._say(f"still waiting after {waited} {self._place.told(self._waited())}")

    def granted(self, slot: AsyncSlot) -> None:
        """As in `Teller`; whoever did not wait hears nothing."""
        if self._place is not None:
            self._say(f"got {slot.lease} after {span(self._waited())}")

    def stop_waiting(self) -> None:
        """As in `Teller`."""
        self._place = None

    def trouble(self, event: str, text: str, **details: object) -> None:
        """As in `Teller`."""
        self._write(f"slot-agent: {text}")

    def note(self, event: str, **details: object) -> None:
        """As in `Teller`."""

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._write(f"slot-agent: {text}")


class Json:
    """One JSON object an event. `common` is in each of them."""

    every = REMINDER

    def __init__(
        self, write: Callable[[str], None], waited: Callable[[], float], **common: object
    ) -> None:
        self._write = write
        self._waited = waited
        self._common = common
        self._place: Queued | None = None

    def queued(self, place: Queued) -> None:
        """As in `Teller`."""
        self._place = place
        self.note(
            "queued",
            position=place.position,
            reason=place.reason,
            holders=[
                {"claim": holder.claim, "load": holder.load, "heldSeconds": holder.seconds}
                for holder in place.holders
            ],
        )

    def tick(self, silent: float | None) -> None:
        """As in `Teller`."""
        if silent is not None:
            self.note("waiting", silentSeconds=round(silent, 3))
        elif self._place is not None:
            self.note("waiting", position=self._place.position)

    def granted(self, slot: AsyncSlot) -> None:
        """As in `Teller`."""
        self.note(
            "granted",
            slot=slot.ordinal,
            lease=slot.lease,
            fencingToken=slot.fencing_token,
            claim=slot.claim,
        )

    def stop_waiting(self) -> None:
        """As in `Teller`."""

    def trouble(self, event: str, text: str, **details: object) -> None:
        """As in `Teller`."""
        self.note(event, text=text, **details)

    def note(self, event: str, **details: object) -> None:
        """As in `Teller`."""
        seconds = round(self._waited(), 3)
        self._write(json.dumps({"event": event, "seconds": seconds, **self._common, **details}))


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue, heard of `at` seconds after the wrapper began."""

    place: Queued
    at: float

    def told(self, now: float) -> str:
        """It, for people: where, why, and behind whom, who has had the slot for how long."""
        place = self.place
        who = ", ".join(sorted(self._holder(holder, now) for holder in place.holders))
        held = f"; held by {who}" if who else ""
        return printable(f"at position {place.position}: {place.reason}{held}")

    def _holder(self, holder: Waiter, now: float) -> str:
        if holder.seconds is None:
            return holder.load
        return f"{holder.load} for {span(holder.seconds + now - self.at)}"


def span(seconds: float) -> str:
    """A time that passed, as a stopwatch shows it: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def printable(text: str) -> str:
    """`text` without what would move a terminal's cursor: loads are named by others."""
    return "".join(c if c.isprintable() else "?" for c in text)

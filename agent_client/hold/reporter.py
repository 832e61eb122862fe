"""What is said in the container's log, and when. Pure: the time is passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_client.hold import record as r

if TYPE_CHECKING:
    from agent_client.hold.record import Record

REMINDER = 60.0
"""Seconds after which what is not well is said again."""
AFTERMATH = "If it runs, it runs on without one: hold cannot stop another container. It asks again"


class Reporter:
    """Turns records into lines: one at each change, and a reminder a minute while it waits."""

    def __init__(self) -> None:
        self.since = 0.0
        """When the present state began."""
        self._last: Record | None = None
        self._said_at = 0.0
        self._asked_at: float | None = None

    def news(self, told: Record, now: float) -> tuple[bool, list[str]]:
        """Whether anything changed, and the lines to say."""
        last, self._last = self._last, told
        changed = told != last
        if last is None or told["state"] != last["state"]:
            self.since = now
        if told["state"] == r.WAITING and self._asked_at is None:
            self._asked_at = now
        lines = self._lost(last, told) if last else []
        if changed or self._overdue(told, now):
            lines.append(self._line(told, now))
            self._said_at = now
        if told["state"] in r.MAY_START:
            self._asked_at = None
        return changed, lines

    def _overdue(self, told: Record, now: float) -> bool:
        return told["state"] in {r.WAITING, r.UNCONFIRMED} and now >= self._said_at + REMINDER

    def _line(self, told: Record, now: float) -> str:
        since = self.since if self._asked_at is None else self._asked_at
        how = "for" if told["state"] == r.WAITING else "after"
        length = f" ({how} {r.duration(now - since)})" if now - since >= 1 else ""
        return f"load {told['load']} {r.sentence(told)}{length}"

    def _lost(self, last: Record, told: Record) -> list[str]:
        if told["losses"] == last["losses"]:
            return []
        lost = f"load {told['load']} HAS LOST ITS SLOT: {told['loss']}."
        return [f"{lost} {AFTERMATH}"]

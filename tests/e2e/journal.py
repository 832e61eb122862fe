"""What the loads wrote themselves: the judge of who ran when. It never asks the coordinator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One line: `event` is start, end or terminated; `at` is the machine's monotonic time."""

    event: str
    load: str
    at: float
    slot: dict[str, str]
    """The SLOT_ variables of the load's environment."""


class Journal:
    """The journal of one folder, and the gates that end its loads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def entries(self) -> list[Entry]:
        """Every line so far, by time."""
        path = self._folder / "journal"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return sorted(map(_entry, map(json.loads, lines)), key=lambda entry: entry.at)

    @property
    def started(self) -> list[str]:
        """Loads in the order in which they started; one that started twice stands there twice."""
        return [entry.load for entry in self.entries if entry.event == "start"]

    @property
    def running(self) -> set[str]:
        entries = self.entries  # read once: one that starts and ends between two looks does not run
        ended = {entry.load for entry in entries if entry.event != "start"}
        return {entry.load for entry in entries} - ended

    @property
    def terminated(self) -> set[str]:
        return {entry.load for entry in self.entries if entry.event == "terminated"}

    def most_at_once(self, node: str) -> int:
        """How many loads of the node ran at the same moment, at most."""
        now = most = 0
        for entry in self.entries:
            if entry.slot["SLOT_NODE"] == node:
                now += 1 if entry.event == "start" else -1
                most = max(most, now)
        return most

    def wait_started(self, *loads: str) -> None:
        until(lambda: set(loads) <= set(self.started), f"start of {loads}: {self.started}")

    def wait_count(self, loads: int) -> None:
        until(lambda: len(self.started) >= loads, f"{loads} loads started: {self.started}")

    def end(self, load: str) -> None:
        """Lets this load end."""
        (self._folder / f"open-{load}").touch()

    def end_all(self) -> None:
        """Lets every load end, those that start later too."""
        (self._folder / "open").touch()


def _entry(line: dict[str, Any]) -> Entry:
    slot = {key: value for key, value in line.items() if key.startswith("SLOT_")}
    return Entry(line["event"], line["load"], line["at"], slot)

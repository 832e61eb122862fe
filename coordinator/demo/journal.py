"""What the loads themselves say: a file to which each appends when it starts and when it ends.

The order of the lines is the order of events: each is one append by a load that holds its slot, so
no clock is needed to tell how many ran at once. The times serve to measure, not to judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SCRIPT = """\
note() {
  until now=$(date +%s.%N); do :; done
  printf '%s %s %s %s %s %s\\n' "$1" "$SLOT_LOAD" "$SLOT_NODE" "$SLOT_LEASE" \\
    "$SLOT_FENCING_TOKEN" "$now" >>"$DEMO_JOURNAL"
}
trap 'kill "$work"' TERM
note start
sleep "$1" & work=$!
wait "$work"; code=$?
note end
exit "$code"
"""
"""A load that sleeps `$1` seconds. Told to end early, it still writes that it ended; the signal may
end `date` as well, which then has to say it again."""

Kind = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class Note:
    """One line. `at` is in seconds since the epoch."""

    kind: Kind
    load: str
    node: str
    lease: str
    token: int
    at: float


@dataclass(frozen=True, slots=True)
class Handover:
    """One load started on the slot that another had ended on.

    `waited` tells whether it was in the queue by then; else the slot just stood free for a while.
    """

    at: float
    lease: str
    before: str
    after: str
    seconds: float
    waited: bool


class Journal:
    """Reads the file as it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[Note] = []
        self._offset = 0

    def read(self) -> list[Note]:
        """The notes that were added since the last time; half a line waits for the next."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._offset)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._offset += len(whole)
        fresh = [parse(line) for line in whole.decode().splitlines()]
        self.notes += fresh
        return fresh


def parse(line: str) -> Note:
    """A line as the script writes it. Raises ValueError for any other."""
    kind, load, node, lease, token, at = line.split()
    if kind not in {"start", "end"}:
        raise ValueError(f"{kind!r} is neither start nor end")
    return Note(cast("Kind", kind), load, node, lease, int(token), float(at))


def handovers(
    notes: list[Note], queued_since: Mapping[str, float], limit: Callable[[str, float], int]
) -> list[Handover]:
    """Every load that followed another on its slot, and on a node that had room for it.

    `queued_since` tells when a load was first seen waiting, `limit` the limit of a node at a time:
    while a node comes down to a lowered limit, a slot that ends goes to nobody. A time below zero,
    from a clock that was set back, is shown as zero.
    """
    running: dict[str, set[str]] = {}
    ended: dict[str, Note] = {}
    found = []
    for note in notes:
        now = running.setdefault(note.node, set())
        if note.kind == "end":
            now.discard(note.load)
            if len(now) < limit(note.node, note.at):
                ended[note.lease] = note
            continue
        now.add(note.load)
        if before := ended.pop(note.lease, None):
            waited = queued_since.get(note.load, note.at) < before.at
            gap = max(0.0, note.at - before.at)
            found.append(Handover(note.at, note.lease, before.load, note.load, gap, waited))
    return found


def percentile(values: list[float], percent: float) -> float:
    """The nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]

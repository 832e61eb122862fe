"""What a recording cannot tell, a sentence each. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from coordinator.core.movers import Kind
from coordinator.core.words import count
from coordinator.observe.words import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.observe.history import History
    from coordinator.observe.runs import Run

_MADE_FIRST = (Kind.DATA_UPLOAD, Kind.DATA_DOWNLOAD)
"""For these Velero makes a volume before the Pod."""


def unknown(history: History) -> Iterator[str]:
    """What was left out or guessed, and how exact the rest is."""
    yield from _left_out(history.runs, history.ends)
    yield from _guessed(history)
    yield from _not_seen(history)
    yield (
        "the API server tells these times in whole seconds: waits and overlaps are exact to about"
        " a second"
    )
    yield (
        "each mover is taken to be as fast as it was, though with fewer beside it it may be faster"
    )
    yield (
        "arrivals are taken as they were; a node that is done sooner or later may make Velero ask"
        " for the next volumes sooner or later"
    )


def _left_out(runs: list[Run], ends: float) -> Iterator[str]:
    never = [run for run in runs if run.moving is None]
    waits = [run.waited(ends) for run in never if run.present]
    if waits:
        yield (
            f"{count(len(waits), 'mover')} had not moved data yet at the end, after waiting for up"
            f" to {span(max(waits))}: left out"
        )
    if failed := len(never) - len(waits):
        yield f"{count(failed, 'mover')} ended without moving data: left out"
    if homeless := sum(run.moving is not None and not run.node for run in runs):
        yield f"{count(homeless, 'mover')} moved data on a node that was not told: left out"


def _guessed(history: History) -> Iterator[str]:
    still = sum(run.moving is not None and run.done is None for run in history.runs)
    if still:
        yield (
            f"{count(still, 'mover')} still moved data when the recording ended: how much longer is"
            " not known, so it counts until then"
        )
    if history.guessed:
        number = count(len(history.guessed), "mover")
        yield f"{number} deleted before the end was told: it counts until it was gone"


def _not_seen(history: History) -> Iterator[str]:
    unseen = sum(not run.pod and run.kind in _MADE_FIRST for run in history.runs)
    if unseen:
        yield (
            f"of {count(unseen, 'CSI mover')} no Pod was seen: the wait includes the making of the"
            " volume"
        )
    podless = sum(not run.pod and run.moving is not None for run in history.runs)
    if podless:
        yield (
            f"of {count(podless, 'mover')} no Pod was seen (ended before anybody looked, or a"
            " Velero that makes none): Velero's own times are taken, and how many containers ran at"
            " once is not known"
        )
    away = sum(after[0] - before[1] for before, after in pairwise(history.parts))
    if away >= 1:
        yield f"nobody looked for {span(away)} between {len(history.parts)} recordings"
    if history.damaged:
        yield f"{count(history.damaged, 'line')} of the file cannot be read (cut short?)"
    yield from history.unread

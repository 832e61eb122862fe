"""What a recording shows, node by node: as it was, and as it would have been. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from coordinator.core.limits import DEFAULT_LIMIT
from coordinator.observe.measure import Measures, Spell, limit_at, measure, together
from coordinator.observe.replay import START, replay
from coordinator.observe.runs import Stage
from coordinator.observe.unknown import unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coordinator.observe.history import History
    from coordinator.observe.measure import Steps
    from coordinator.observe.runs import Run

LONGEST_STARTUP = 60.0
"""Seconds. A mover that takes longer to start even alone waits for something else."""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """One node."""

    name: str
    steps: Steps
    """Its limit over time."""
    was: Measures
    would: Measures | None
    """None for a node that node-slots does not govern."""
    up_most: int
    """Mover containers that ran at once, at most, whether they moved data or not."""

    @property
    def limits(self) -> tuple[int, ...]:
        """Its limits while it had work, without repetition."""
        return tuple(dict.fromkeys(limit for _, limit in self.steps))


@dataclass(frozen=True, slots=True)
class Report:
    """All of it."""

    namespace: str
    source: str
    parts: tuple[tuple[float, float], ...]
    """From when to when was looked."""
    every: float
    first: float | None
    """When the first mover was ready; None where there is none."""
    startup: float
    """Seconds from ready to moving, of the quickest mover: taken for all."""
    nodes: tuple[NodeReport, ...]
    was: Measures
    would: Measures
    unknown: tuple[str, ...]
    """What the figures do not tell, a sentence each."""


@dataclass(frozen=True, slots=True)
class _Both:
    """One node's spells as they were and as they would have been."""

    report: NodeReport
    was: list[Spell]
    would: list[Spell]
    its: Measures
    """Of what would have been; of what was, where nothing would have changed."""


def report(history: History) -> Report:
    """The figures of a recording."""
    spells = {node: _spells(runs, history.ends) for node, runs in sorted(_by_node(history))}
    flat = [spell for those in spells.values() for spell in those]
    startup = _startup(flat)
    both = [_node(history, node, those, startup) for node, those in spells.items()]
    return Report(
        namespace=history.namespace,
        source=history.source,
        parts=tuple(history.parts),
        every=history.every,
        first=min((spell.ready for spell in flat), default=None),
        startup=startup,
        nodes=tuple(one.report for one in both),
        was=together([(one.was, one.report.was) for one in both]),
        would=together([(one.would, one.its) for one in both]),
        unknown=tuple(unknown(history)),
    )


def _node(history: History, name: str, was: list[Spell], startup: float) -> _Both:
    steps = history.limits.get(name, ()) or ((0.0, DEFAULT_LIMIT),)
    governed = name not in history.windows
    would = replay(was, steps, startup) if governed else was
    before, after = measure(was, steps), measure(would, steps)
    up = _most_up([run for run in history.runs if run.node == name], history.ends)
    shown = NodeReport(name, _while(steps, was), before, after if governed else None, up)
    return _Both(shown, was, would, after)


def _by_node(history: History) -> Iterable[tuple[str, list[Run]]]:
    """The runs that moved data somewhere."""
    found: dict[str, list[Run]] = {}
    for run in history.runs:
        if run.node and run.moving is not None:
            found.setdefault(run.node, []).append(run)
    return found.items()


def _spells(runs: Iterable[Run], ends: float) -> list[Spell]:
    """What is not over yet counts as ending with the recording."""
    return [
        Spell(
            id=run.id,
            restores=run.kind.restores,
            ready=min(run.ready, run.moving),
            moving=run.moving,
            done=max(run.moving, ends) if run.done is None else max(run.moving, run.done),
        )
        for run in runs
        if run.moving is not None
    ]


def _startup(spells: Sequence[Spell]) -> float:
    quickest = min((spell.waited for spell in spells), default=START)
    return min(max(START, quickest), LONGEST_STARTUP)


def _while(steps: Steps, spells: Sequence[Spell]) -> Steps:
    """The steps that mattered: the limit when work began, and those until it ended."""
    first, last = min(one.ready for one in spells), max(one.done for one in spells)
    later = tuple(step for step in steps if first < step[0] <= last)
    return ((first, limit_at(steps, first)), *later)


def _most_up(runs: Iterable[Run], ends: float) -> int:
    """Containers at once, at most. One whose end nobody saw counts as long as it moved data."""
    changes: list[tuple[float, int]] = []
    for run in runs:
        if run.up is not None:
            known = [end for end in (run.down, run.done) if end is not None]
            open_end = run.up if run.stage is Stage.ENDED else ends
            changes += [(run.up, 1), (known[0] if known else open_end, -1)]
    return max(accumulate(change for _, change in sorted(changes)), default=0)

"""From a recording's lines to the lives of its movers and each node's limits over time. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from coordinator.observe import journal, judging
from coordinator.observe.runs import Run, Stage, join
from coordinator.velero.world import Limits, Node, NodeAgent, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from coordinator.observe.journal import Entry, Recording, Value
    from coordinator.observe.judging import Judge
    from coordinator.observe.measure import Steps

T = TypeVar("T")


@dataclass(slots=True)
class History:
    """What a recording tells, in the order in which things came."""

    namespace: str = ""
    velero: str = ""
    every: float = 0.0
    """Seconds between two looks, the longest of all parts."""
    parts: list[tuple[float, float]] = field(default_factory=list)
    """From when to when was looked; in between nobody looked."""
    runs: list[Run] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)
    """Runs whose end was not told: they were gone at the next look."""
    limits: dict[str, Steps] = field(default_factory=dict)
    windows: set[str] = field(default_factory=set)
    """Nodes that node-slots does not govern."""
    source: str = ""
    unread: list[str] = field(default_factory=list)
    damaged: int = 0

    @property
    def ends(self) -> float:
        """When the last look was."""
        return self.parts[-1][1] if self.parts else 0.0


def history(recording: Recording, judge: Judge | None = None) -> History:
    """The history in it, under these limits, or under those that were in force."""
    found = History(damaged=recording.damaged)
    last: dict[str, Value] = {}
    gone: dict[str, float] = {}
    for at, entries in groupby(recording.entries, key=attrgetter("at")):
        batch = list(entries)
        _mark(found, at, batch)
        for entry in batch:
            _fold(entry, last, gone)
        if any(entry.key.startswith(_RULING) for entry in batch):
            _judge_now(found, at, last, gone, judge)
    found.unread = (last.get("unread") or {}).get("sentences", [])
    found.runs = [_finished(run, gone, found) for run in _runs(last)]
    return found


_RULING = ("node ", "agent ", "limits ")


def _mark(found: History, at: float, batch: Iterable[Entry]) -> None:
    begin = next((one.value for one in batch if one.key == journal.BEGIN), None)
    if begin is not None or not found.parts:
        found.parts.append((at, at))
        begin = begin or {}
        found.namespace = str(begin.get("namespace", found.namespace))
        found.velero = str(begin.get("velero", found.velero))
        found.every = max(found.every, float(begin.get("every", 0.0)))
    found.parts[-1] = (found.parts[-1][0], max(found.parts[-1][1], at))


def _fold(entry: Entry, last: dict[str, Value], gone: dict[str, float]) -> None:
    """Keep what was last seen of everything, and when it was seen to be gone."""
    if entry.value is None:
        gone.setdefault(entry.key, entry.at)
    else:
        last[entry.key] = entry.value
        gone.pop(entry.key, None)


def _all(last: dict[str, Value], kind: str, decode: Callable[[Value], T]) -> dict[str, T]:
    """Everything of a kind, by key; what cannot be understood is left out."""
    found = {}
    for key in sorted(key for key in last if key.startswith(f"{kind} ")):
        try:
            found[key] = decode(last[key])
        except (TypeError, ValueError):
            continue
    return found


def _judge_now(
    found: History, at: float, last: dict[str, Value], gone: dict[str, float], judge: Judge | None
) -> None:
    """Take down each node's limit where it is another one than before."""

    def there(kind: str, decode: Callable[[Value], T]) -> tuple[T, ...]:
        return tuple(one for key, one in _all(last, kind, decode).items() if key not in gone)

    nodes: tuple[Node, ...] = there("node", journal.node_of)
    agents: tuple[NodeAgent, ...] = there("agent", journal.agent_of)
    maps: tuple[Limits, ...] = there("limits", journal.limits_of)
    used = judge or judging.of_world(World("", at, node_agents=agents, limits=maps, nodes=nodes))
    found.source = used.source
    for node in nodes:
        limit, steps = used.resolve(node).limit, found.limits.get(node.name, ())
        if not steps or steps[-1][1] != limit:
            found.limits[node.name] = (*steps, (at, limit))
        if node.os == "windows":
            found.windows.add(node.name)


def _runs(last: dict[str, Value]) -> list[Run]:
    works: dict[str, Any] = _all(last, "work", journal.work_of)
    movers: dict[str, Any] = _all(last, "mover", journal.mover_of)
    return join(works.values(), sorted(movers.values(), key=attrgetter("created")))


def _finished(run: Run, gone: dict[str, float], found: History) -> Run:
    """A run that was gone before its end was told ended at some time until then."""
    at = gone.get(f"work {run.id}", gone.get(f"mover {run.pod}") if not run.outcome else None)
    if run.done is not None or run.moving is None or at is None:
        return run
    found.guessed.add(run.id)
    return replace(run, done=at, stage=Stage.ENDED)

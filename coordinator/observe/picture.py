"""What one look shows, node by node, ready to be printed. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.observe import judging
from coordinator.observe.runs import Stage, join

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.observe.judging import Judge
    from coordinator.observe.runs import Run
    from coordinator.velero.world import Node, World


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node, or the movers that have none yet (`limit` is None then)."""

    name: str
    limit: int | None
    why: str
    """The rule behind the limit, as `slot-coordinator check` names it."""
    moving: int
    idle: int
    waiting: int
    longest: float
    """Seconds that the longest of them has waited."""
    remark: str = ""

    @property
    def over(self) -> int:
        """How many more move data than the limit allows."""
        return max(0, self.moving - self.limit) if self.limit is not None else 0

    @property
    def busy(self) -> bool:
        """Whether there is any mover here."""
        return bool(self.moving or self.idle or self.waiting)


@dataclass(frozen=True, slots=True)
class Picture:
    """One look, judged."""

    namespace: str
    taken: float
    velero: str
    kubernetes: str
    source: str
    """Where the limits come from."""
    nodes: tuple[NodeView, ...]
    runs: tuple[Run, ...]
    """All that can be seen, by the time at which they were asked for."""
    findings: tuple[str, ...]
    """About the limits and the node-agents, a sentence each."""
    unread: tuple[str, ...]

    @property
    def present(self) -> list[Run]:
        """Those that are not over."""
        return [run for run in self.runs if run.present]


def picture(world: World, judge: Judge | None = None) -> Picture:
    """The look at that world, judged by these limits, or by those that its node-agents read."""
    own = judging.of_world(world)
    used = judge or own
    runs = tuple(join(world.works, world.movers))
    agents = tuple(text for text in own.findings if judge is None or "ConfigMap" not in text)
    unused = tuple(judging.unused_rules(used, world.nodes))
    return Picture(
        namespace=world.namespace,
        taken=world.taken,
        velero=world.velero,
        kubernetes=world.kubernetes,
        source=used.source,
        nodes=_nodes(world, used, (run for run in runs if run.present)),
        runs=runs,
        findings=(*agents, *(judge.findings if judge else _governed(runs)), *unused),
        unread=world.unread,
    )


def _governed(runs: Iterable[Run]) -> tuple[str, ...]:
    """Where node-slots governs, the limits that count are in its own ConfigMap."""
    if not any(run.governed and run.present for run in runs):
        return ()
    return (
        (
            "node-slots governs movers here, by limits of its own: show those with --limits cm/NAME"
            " (node-slots, unless it was installed with another name)"
        ),
    )


def _nodes(world: World, judge: Judge, runs: Iterable[Run]) -> tuple[NodeView, ...]:
    here: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        here[run.node].append(run)
    views = [_view(node, judge, here.pop(node.name, []), world.taken) for node in world.nodes]
    views += [_placeless(name, those, world.taken) for name, those in sorted(here.items()) if those]
    return tuple(views)


def _view(node: Node, judge: Judge, runs: list[Run], now: float) -> NodeView:
    found = judge.resolve(node)
    remarks = [text for text in (_os(node), "" if node.ready else "not ready") if text]
    return _counted(node.name, found.limit, found.why, runs, now, ", ".join(remarks))


def _os(node: Node) -> str:
    return "Windows" if node.os == "windows" else ""


def _placeless(name: str, runs: list[Run], now: float) -> NodeView:
    why = "node not known" if name else "not decided yet"
    return _counted(name or "(no node)", None, why, runs, now)


def _counted(
    name: str, limit: int | None, why: str, runs: list[Run], now: float, remark: str = ""
) -> NodeView:
    waiting = [run for run in runs if run.stage in (Stage.NEW, Stage.WAITING, Stage.IDLE)]
    return NodeView(
        name=name,
        limit=limit,
        why=why,
        moving=sum(run.stage is Stage.MOVING for run in runs),
        idle=sum(run.stage is Stage.IDLE for run in runs),
        waiting=sum(run.stage is not Stage.IDLE for run in waiting),
        longest=max((run.waited(now) for run in waiting), default=0.0),
        remark=remark,
    )

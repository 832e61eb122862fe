"""A picture as people look at it, on a terminal or in a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from coordinator.core.words import count
from coordinator.observe.runs import Stage
from coordinator.observe.words import clock, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from coordinator.observe.picture import NodeView, Picture
    from coordinator.observe.runs import Run

MOST_NODES, MOST_RUNS = 40, 20
"""Rows that are shown; what is left out is counted."""
WIDE = 110
"""Columns from which on everything of a row is told on one line."""


def render(seen: Picture, width: int) -> RenderableType:
    """The picture for a terminal this wide."""
    wide = width >= WIDE
    parts: list[RenderableType] = [_head(seen), _nodes(seen.nodes, wide)]
    left = sum(not node.busy for node in _left_out(seen.nodes))
    if left:
        parts.append(Text(f"and {count(left, 'node')} without a mover", "dim"))
    parts += [_total(seen), *_runs(seen, wide), *_remarks(seen)]
    return Group(*parts)


def _head(seen: Picture) -> Text:
    velero = f"Velero {seen.velero}" if seen.velero else "Velero (version not known)"
    kubernetes = f", Kubernetes {seen.kubernetes}" if seen.kubernetes else ""
    return (
        Text()
        .append(f"{velero}{kubernetes}, namespace {seen.namespace}", "bold")
        .append(f"   {clock(seen.taken)}\n", "dim")
        .append(f"limits: {seen.source}", "dim")
    )


def _left_out(nodes: Sequence[NodeView]) -> list[NodeView]:
    """With many nodes, those without a mover are counted only."""
    return [node for node in nodes if not node.busy] if len(nodes) > MOST_NODES else []


def _nodes(nodes: Sequence[NodeView], wide: bool) -> Table:
    space = (0, 1) if wide else (0, 1, 0, 0)
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=space)
    table.add_column("node", overflow="fold")
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("decided by", overflow="fold")
    for head in ("moving", "idle", "waiting", "longest"):
        table.add_column(head, justify="right", no_wrap=True)
    if wide:
        table.add_column("")
    left = _left_out(nodes)
    for node in nodes:
        if node not in left:
            table.add_row(*_row(node, wide))
    return table


def _row(node: NodeView, wide: bool) -> Iterator[RenderableType]:
    remark = _remark(node)
    below = Text("\n").append(remark) if remark and not wide else ""
    yield Text(node.name, "bold").append(below)
    yield Text("-" if node.limit is None else str(node.limit))
    yield _decided_by(node.why, wide)
    yield Text(str(node.moving), _style(node.moving, node.over))
    yield Text(str(node.idle), "" if node.idle else "dim")
    yield Text(str(node.waiting), "" if node.waiting else "dim")
    yield Text(span(node.longest) if node.longest else "")
    if wide:
        yield remark


def _remark(node: NodeView) -> Text:
    parts = Text(f"OVER by {node.over}" if node.over else "", "bold red")
    return parts.append(", " if parts and node.remark else "").append(node.remark, "yellow")


def _decided_by(why: str, wide: bool) -> Text:
    """The rule and its selector; on a narrow screen below it, without the label's prefix."""
    rule, _, selector = why.partition(" ") if "[" in why else (why, "", "")
    if wide:
        return Text(rule).append(f" {selector}" if selector else "", "dim")
    prefix, slash, rest = selector.rpartition("/")
    return Text(rule).append(f"\n{'…' + slash + rest if prefix else selector}".rstrip(), "dim")


def _style(moving: int, over: int) -> str:
    if over:
        return "bold red"
    return "green" if moving else "dim"


def _total(seen: Picture) -> Text:
    moving, idle, waiting = (
        sum(getattr(node, name) for node in seen.nodes) for name in ("moving", "idle", "waiting")
    )
    over = sum(bool(node.over) for node in seen.nodes)
    ended = len(seen.runs) - len(seen.present)
    text = f"{count(moving, 'mover')} moving, {idle} up but idle, {waiting} waiting"
    told = Text().append(text, "bold")
    if ended:
        told.append(f"; {ended} ended that can still be seen", "dim")
    if over:
        told.append(f"; {count(over, 'node')} over the limit", "bold red")
    return told


def _runs(seen: Picture, wide: bool) -> Iterator[RenderableType]:
    """The movers that are there: those that move data, then those that wait the longest."""
    if not seen.present:
        return
    order = (Stage.MOVING, Stage.IDLE, Stage.WAITING, Stage.NEW)
    runs = sorted(seen.present, key=lambda run: (order.index(run.stage), run.asked, run.id))
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for head in ("mover", "kind", "of", "node", "state", "for"):
        if wide or head != "of":
            table.add_column(head, overflow="fold")
    for run in runs[:MOST_RUNS]:
        table.add_row(*_run(run, seen.taken, wide))
    yield table
    if len(runs) > MOST_RUNS:
        yield Text(f"and {len(runs) - MOST_RUNS} more", "dim")


def _run(run: Run, now: float, wide: bool) -> Iterator[RenderableType]:
    yield Text(run.name)
    yield Text(run.kind.value if wide else "restore" if run.kind.restores else "backup", "dim")
    if wide:
        yield Text(run.owner)
    yield Text(run.node or "-")
    governed = ", governed" if run.governed else ""
    yield Text(run.stage.value + governed, "green" if run.stage is Stage.MOVING else "")
    since = run.moving if run.stage is Stage.MOVING else None
    yield Text(span(max(0.0, now - (run.ready if since is None else since))))


def _remarks(seen: Picture) -> Iterator[RenderableType]:
    if seen.findings or seen.unread:
        yield Text()
    for finding in seen.findings:
        yield Text("finding: ", "yellow").append(finding, "default")
    for unread in seen.unread:
        yield Text("not seen: ", "yellow").append(unread, "default")

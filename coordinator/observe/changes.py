"""What became another between two looks, a line each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.observe.runs import Stage
from coordinator.observe.words import clock, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.observe.picture import NodeView, Picture
    from coordinator.observe.runs import Run


def changes(before: Picture, after: Picture) -> Iterator[str]:
    """The lines, each with the time of the later look."""
    for line in (*_runs(before, after), *_nodes(before, after), *_remarks(before, after)):
        yield f"{clock(after.taken)}  {line}"


def _runs(before: Picture, after: Picture) -> Iterator[str]:
    known = {run.id: run for run in before.runs}
    for run in after.runs:
        was = known.pop(run.id, None)
        if was is None or was.stage is not run.stage:
            yield f"{_where(run)}: {_stage(run, after.taken)}"
    for run in known.values():
        if run.present:
            yield f"{_where(run)}: deleted ({run.stage.value} when last seen)"


def _where(run: Run) -> str:
    kind = "restore" if run.kind.restores else "backup"
    return (
        f"{run.node or '(no node)'}  {run.name} ({kind}{' of ' + run.owner if run.owner else ''})"
    )


def _stage(run: Run, now: float) -> str:
    if run.stage is Stage.MOVING:
        return f"moving, after a wait of {span(run.waited(now))}"
    if run.stage is not Stage.ENDED:
        return str(run.stage.value)
    outcome = f" {run.outcome}" if run.outcome else ""
    if run.moving is None or run.done is None:
        return f"ended{outcome}, without moving data"
    return f"ended{outcome}, after {span(run.done - run.moving)}"


def _nodes(before: Picture, after: Picture) -> Iterator[str]:
    known = {node.name: node for node in before.nodes}
    for node in after.nodes:
        was = known.pop(node.name, None)
        if node.limit is not None:
            yield from _node(node, was)
    for name, gone in known.items():
        if gone.limit is not None:
            yield f"{name}: this node is gone"


def _node(node: NodeView, was: NodeView | None) -> Iterator[str]:
    if was is None:
        yield f"{node.name}: a new node, limit {node.limit} ({node.why})"
    elif was.limit != node.limit:
        yield f"{node.name}: limit {was.limit} -> {node.limit} ({node.why})"
    over = was.over if was else 0
    if node.over and node.over != over:
        yield f"{node.name}: OVER its limit of {node.limit}: {node.moving} move data"
    elif over and not node.over:
        yield f"{node.name}: no more over its limit"
    if was is not None and was.remark != node.remark:
        yield f"{node.name}: {node.remark or 'as it should be again (was ' + was.remark + ')'}"


def _remarks(before: Picture, after: Picture) -> Iterator[str]:
    for name, old, new in (
        ("finding", before.findings, after.findings),
        ("not seen", before.unread, after.unread),
    ):
        yield from (f"{name}: {text}" for text in new if text not in old)
        yield from (f"no more: {text}" for text in old if text not in new)

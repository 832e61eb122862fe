"""The live table: one frame from what was seen. Nothing is asked and nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from coordinator.demo.journal import Handover
    from coordinator.demo.watch import NodeSeen, Seen

HELD, FREE, DRAINING = "■", "□", "▣"
RECENT = 6
"""Hand-overs that are shown."""
WIDE = 110
"""From this width on, the loads that hold a slot are named."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What one frame shows. `seconds` is infinite when the demo runs until it is stopped."""

    seen: Seen
    recent: Sequence[Handover]
    elapsed: float
    seconds: float
    phase: str


def render(frame: Frame, width: int) -> RenderableType:
    """The frame for a terminal this wide, always of the same height."""
    return Group(
        Text(),
        _progress(frame, width),
        _nodes(frame.seen, width),
        Text("last hand-overs", "bold"),
        _handovers(frame.recent),
    )


def _progress(frame: Frame, width: int) -> RenderableType:
    endless = frame.seconds == float("inf")
    total = frame.elapsed if endless else max(frame.seconds, frame.elapsed)
    of = "" if endless else f" of about {frame.seconds:.0f}"
    line = Table.grid(padding=(0, 2))
    line.add_row(
        ProgressBar(total=total or 1, completed=frame.elapsed, width=width // 4),
        Text(f"{frame.elapsed:.1f}{of} s", "bold"),
        Text(frame.phase, "dim"),
    )
    return line


def _nodes(seen: Seen, width: int) -> Table:
    table = Table(expand=True, box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("node", no_wrap=True, style="bold")
    table.add_column("limit", justify="right", no_wrap=True)
    table.add_column("decided by", no_wrap=True, min_width=27)
    table.add_column("slots", no_wrap=True, min_width=6)
    if width >= WIDE:
        table.add_column("held by", ratio=3, max_width=38)
    table.add_column("queue, next first", ratio=2, no_wrap=True, overflow="ellipsis")
    for name, node in sorted(seen.nodes.items()):
        table.add_row(*_row(name, node, named=width >= WIDE))
    return table


def _row(name: str, node: NodeSeen, *, named: bool) -> list[RenderableType]:
    cells: list[RenderableType] = [name, str(node.limit), decided_by(node), boxes(node)]
    if named:
        cells.append(Text(", ".join(slot.load for slot in node.slots)))
    return [*cells, _queue(node)]


def boxes(node: NodeSeen) -> Text:
    """One box for each slot; those past a lowered limit are marked, and go when they end."""
    held = {slot.ordinal for slot in node.slots}
    drawn = Text()
    for ordinal in range(node.limit):
        drawn.append(*((HELD, "green") if ordinal in held else (FREE, "dim")))
    if past := sum(ordinal >= node.limit for ordinal in held):
        drawn.append(DRAINING * past, "yellow").append(f"\n{past} over", "yellow")
    return drawn


def decided_by(node: NodeSeen) -> Text:
    """The rule, its selector below it and without the label's prefix, which tells nothing."""
    rule, _, selector = node.decided_by.partition(" ")
    prefix, slash, rest = selector.rpartition("/")
    text = Text(rule).append(f"\n{'…' + slash + rest if prefix else selector}", "dim")
    if node.hold:
        return Text(rule).append(f"\non hold: {node.hold}", "yellow")
    return text


def _queue(node: NodeSeen) -> Text:
    if not node.queue:
        return Text("nobody waits", "dim")
    return Text(f"{len(node.queue)} wait").append("\n" + ", ".join(node.queue), "dim")


def _handovers(recent: Sequence[Handover]) -> Table:
    table = Table.grid(padding=(0, 2))
    shown = [one for one in recent if one.waited][-RECENT:]
    for one in reversed(shown):
        at = datetime.fromtimestamp(one.at).astimezone().strftime("%H:%M:%S")
        gap = Text(f"{one.seconds * 1000:.0f} ms", "dim")
        table.add_row(Text(at, "dim"), one.lease, f"{one.before} → {one.after}", gap)
    for _ in range(RECENT - len(shown)):
        table.add_row("")
    return table

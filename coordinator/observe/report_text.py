"""A report as people read it."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from coordinator.core.words import count
from coordinator.observe.replay import FREEING, START
from coordinator.observe.words import moment, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from coordinator.observe.measure import Measures, Waits
    from coordinator.observe.report import Report

WOULD = "  node-slots"


def render(found: Report, width: int) -> RenderableType:
    """The report for a terminal this wide."""
    if not found.nodes:
        nothing = Text("no mover moved any data in this recording", "bold")
        return Group(_head(found), nothing, *_lists(found, width))
    return Group(_head(found), _table(found), *_lists(found, width))


def _head(found: Report) -> Text:
    begin, end = found.parts[0][0], found.parts[-1][1]
    looks = f", a look every {span(found.every)}" if found.every else ""
    text = Text().append(f"Velero in namespace {found.namespace or '?'}", "bold")
    text.append(f"\nrecorded {moment(begin)} to {moment(end)} ({span(end - begin)}){looks}", "dim")
    if found.first is not None and found.first < begin:
        text.append(f"; Velero's own times go back to {moment(found.first)}", "dim")
    return text.append(f"\nlimits: {found.source or 'none were seen'}", "dim")


def _table(found: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("node", overflow="fold", min_width=len(WOULD))
    for head in ("movers", "at once", "above limit", "idle", "median", "longest", "busy"):
        table.add_column(head, justify="right", no_wrap=True)
    for node in found.nodes:
        _pair(table, node.name, "/".join(map(str, node.limits)), node.was, node.would)
    if len(found.nodes) > 1:
        _pair(table, "all", "", found.was, found.would)
    return table


def _pair(table: Table, name: str, limit: str, was: Measures, would: Measures | None) -> None:
    table.add_row(Text(name, "bold"), *_cells(was, limit))
    if would is None:
        table.add_row(Text("  (Windows)", "yellow"), end_section=True)
    else:
        table.add_row(Text(WOULD, "green"), *_cells(would, limit), end_section=True)


def _cells(its: Measures, limit: str) -> Iterator[RenderableType]:
    over = f"{its.overlaps}x, {span(its.over_seconds)}" if its.overlaps else "never"
    yield str(its.waits.count)
    yield f"{its.most} of {limit}" if limit else str(its.most)
    yield Text(over, "bold red" if its.overlaps else "")
    for seconds in (its.idle, its.waits.median, its.waits.longest, its.busy):
        yield span(seconds)


def _summary(found: Report) -> Iterator[str]:
    was, would = found.was, found.would
    if was.overlaps:
        after = f"for {span(would.over_seconds)}" if would.overlaps else "never"
        yield (
            f"above the limit {count(was.overlaps, 'time')}, for {span(was.over_seconds)} in all,"
            f" by {was.over_most} at most; with node-slots {after}"
        )
    if was.restores.count and was.backups.count:
        yield _compared("restores", was.restores, would.restores)
        yield _compared("backups", was.backups, would.backups)
    for node in found.nodes:
        if node.up_most > node.was.most:
            yield (
                f"{node.name}: up to {node.up_most} mover containers ran at once, of which at most"
                f" {node.was.most} moved data"
            )


def _compared(what: str, was: Waits, would: Waits) -> str:
    return f"{what} waited {_waits(was)}; with node-slots {_waits(would)}"


def _waits(its: Waits) -> str:
    return f"{span(its.median)} (median) to {span(its.longest)}"


def _lists(found: Report, width: int) -> Iterator[Text]:
    for title, lines in (
        ("in words", _summary(found)),
        ("how this is worked out", _method(found)),
        ("not known", iter(found.unknown)),
    ):
        items = [_item(line, width) for line in lines]
        if items:
            yield Text("\n" + title, "bold")
            yield from items


def _item(line: str, width: int) -> Text:
    return Text(fill(line, width, initial_indent="- ", subsequent_indent="  "))


def _method(found: Report) -> Iterator[str]:
    yield (
        "a node's first line is as it was, the second as node-slots would have had it; median and"
        " longest are waits"
    )
    yield (
        "as it was: a mover moves data while Velero has it InProgress; it waits from when its Pod"
        " could be made; idle is the slots that nobody used while somebody waited, times how long;"
        " busy is the time during which anybody waited or moved data"
    )
    yield (
        "node-slots: the same arrivals, each for as long as it really moved data; restores first;"
        f" a start takes {span(found.startup)} (the quickest one seen, {span(START)} at least), and"
        f" {span(START + FREEING)} lie between one mover's end and the next one's start"
    )

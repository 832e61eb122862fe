"""The summary, as plain lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.demo.findings import Findings
    from coordinator.demo.judge import Period
    from coordinator.demo.watch import Counts

HEAD = ("node", "limit", "loads", "most at once", "")


def lines(found: Findings) -> Iterator[str]:
    """Everything that is to be told, line by line."""
    cut = f", {found.cut_short} of them cut short" if found.cut_short else ""
    yield f"{found.loads} loads run{cut}"
    if found.lost_by_hand:
        yield (
            f"  {found.lost_by_hand} lost the slot by hand, were ended by their agents, and do"
            " not count"
        )
    yield ""
    yield from _aligned([HEAD, *_rows(found.periods)])
    yield ""
    if found.counts:
        yield from _grants(found.counts, found.loads)
    if found.latency:
        yield (
            f"hand-over latency: p50 {_ms(found.latency.p50)}, p99 {_ms(found.latency.p99)}"
            f" ({found.latency.count} hand-overs)"
        )
        yield "  from one load's end to the next one's start on the same Lease: both agents,"
        yield "  their requests, the write, and the start of the next process"
    if found.counts and found.counts.p50 is not None and found.counts.p99 is not None:
        yield (
            f"  of it in the coordinator: p50 up to {_ms(found.counts.p50)},"
            f" p99 up to {_ms(found.counts.p99)}"
        )
    yield ""


def verdict(found: Findings) -> Iterator[tuple[str, bool]]:
    """The last lines, each with whether it is good news."""
    yield from ((f"PROBLEM: {problem}", False) for problem in found.problems)
    if not found.problems:
        followed = ", and the edited limits were followed" if found.followed else ""
        yield f"no node was ever above its limit{followed}", True


def _grants(counts: Counts, loads: int) -> Iterator[str]:
    total = counts.granted + counts.handed_over
    yield (
        f"grants: {total}; {counts.handed_over} handed over from load to load,"
        f" {counts.granted} of a free slot"
    )
    if total > loads:
        yield f"  {total - loads} given back unused: the claim left while it was being granted"


def _rows(periods: dict[str, list[Period]]) -> Iterator[tuple[str, ...]]:
    for node, its in periods.items():
        for number, period in enumerate(its):
            before = its[number - 1].limit if number else period.limit
            yield (
                node if number == 0 else "",
                str(period.limit),
                str(period.started),
                f"{period.most} of {period.limit}",
                _remark(period, before),
            )


def _remark(period: Period, before: int) -> str:
    if period.above:
        return "ABOVE ITS LIMIT"
    if period.limit > before:
        return f"raised from {before}"
    if period.limit == before:
        return ""
    if period.drained is None:
        return f"lowered from {before}, not down to it yet"
    if period.drained == 0:
        return f"lowered from {before}"
    return f"lowered from {before}, down to it after {period.drained:.1f} s"


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "   ".join(cells)).rstrip()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"

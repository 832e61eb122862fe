"""What the turns of two limiters came to, as Markdown: pure, from `turns.Turn`."""

from __future__ import annotations

from itertools import chain, combinations, pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tests.velero import measure
from tests.velero.measure import Job
from tests.velero.turns import LIMIT, STEPS, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Values = Callable[[Turn], Iterable[float]]


class Row(NamedTuple):
    """One line of the comparison."""

    title: str
    values: Values
    """Of one turn; those of all turns of a limiter are taken together."""
    digits: int = 1
    worst: bool = False
    """Whether the highest one is to be seen, in place of median and spread."""


def compare(turns: Sequence[Turn], first: str, second: str) -> str:
    """The table: a column for each limiter, and the second as a multiple of the first."""
    lines = [f"| | {first} | {second} | ratio |", "|---|---|---|---|"]
    lines += [_line(row, _of(turns, first), _of(turns, second)) for row in ROWS]
    return "\n".join(lines) + "\n"


def steps(turns: Iterable[Turn]) -> str:
    """What a hand-over of a slot is made of."""
    chains = list(chain.from_iterable(turn.chains for turn in turns))
    lines = ["| from | to | seconds |", "|---|---|---|"]
    for number, (since, until) in enumerate(pairwise(STEPS)):
        values = [moments[number + 1] - moments[number] for moments in chains]
        lines.append(f"| {since} | {until} | {spread(values, 2)} |")
    whole = [moments[-1] - moments[0] for moments in chains]
    lines.append(f"| all of it | | {spread(whole, 2)} |")
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float], digits: int) -> str:
    """Median (lowest to highest); "-" without values."""
    if not values:
        return "-"
    told = (median(values), min(values), max(values))
    middle, low, high = (f"{value:.{digits}f}" for value in told)
    return middle if low == high else f"{middle} ({low} to {high})"


def disorder(jobs: Sequence[Job]) -> float:
    """Of all pairs of movers, the percentage that started in another order than they came."""
    by_arrival = sorted(jobs, key=lambda job: job.arrived)
    place = {name: number for number, name in enumerate(measure.order(jobs))}
    pairs = list(combinations((place[job.name] for job in by_arrival), 2))
    return 100 * sum(first > second for first, second in pairs) / len(pairs)


def _of(turns: Iterable[Turn], limiter: str) -> list[Turn]:
    return [turn for turn in turns if turn.limiter == limiter]


def _line(row: Row, first: Sequence[Turn], second: Sequence[Turn]) -> str:
    both = [[value for turn in turns for value in row.values(turn)] for turns in (first, second)]
    cells = [_cell(row, values) for values in both]
    return f"| {row.title} | {cells[0]} | {cells[1]} | {_ratio(row, *both)} |"


def _cell(row: Row, values: Sequence[float]) -> str:
    return f"{max(values):.{row.digits}f}" if row.worst and values else spread(values, row.digits)


def _ratio(row: Row, first: Sequence[float], second: Sequence[float]) -> str:
    if not first or not second:
        return "-"
    pick = max if row.worst else median
    return f"{pick(second) / pick(first):.2f}" if pick(first) else "-"


def busy(turn: Turn) -> list[Job]:
    """From when Velero lets a mover's data path begin until its data has moved.

    Not until the phase Completed: that one waits for the Pod's end, which comes after a slot's.
    """
    both = zip(turn.phases, turn.work, strict=True)
    return [Job(job.name, job.arrived, job.started, data.ended) for job, data in both]


def _at_once(turn: Turn) -> list[float]:
    return [measure.most_at_once(busy(turn))]


def _hand_overs(turn: Turn) -> list[float]:
    return measure.hand_overs(busy(turn), LIMIT)


def _data_hand_overs(turn: Turn) -> list[float]:
    return measure.hand_overs(turn.work, LIMIT)


def _idle_seconds(turn: Turn) -> list[float]:
    return [measure.idle_seconds(busy(turn), LIMIT)]


def _first_starts(turn: Turn) -> list[float]:
    """Of those that found a slot free."""
    starts = [(job.started, job.arrived) for job in turn.phases if job.started is not None]
    return [start - arrived for start, arrived in sorted(starts)[:LIMIT]]


def _total(turn: Turn) -> list[float]:
    return [measure.figures(turn.phases, LIMIT).total]


def _disorder(turn: Turn) -> list[float]:
    return [disorder(turn.phases)]


def _programs(turn: Turn) -> list[float]:
    return [measure.most_at_once(turn.containers)]


ROWS = (
    Row("movers at work at once, most", _at_once, 0, worst=True),
    Row("hand-over: one's data has moved to the next one's InProgress, s", _hand_overs, 2),
    Row("the longest of them", _hand_overs, 2, worst=True),
    Row("one's data has moved to the next one's data moves, s", _data_hand_overs, 2),
    Row("idle slot seconds while a mover waits", _idle_seconds),
    Row("the first movers, from made to InProgress, s", _first_starts, 2),
    Row("the whole, first volume made to last Completed, s", _total),
    Row("pairs of volumes that changed places while they waited, %", _disorder, 0),
    Row("Velero's mover programs at once, most", _programs, 0, worst=True),
    Row("memory of a mover that waits, MiB", lambda turn: turn.memory, 0),
    Row("requests to the API server, by all", lambda turn: [turn.requests], 0),
)

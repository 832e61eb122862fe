"""Scenarios made up for the bench's own tests: no server, no process, no time."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from tests.bench.run import Result, measured
from tests.bench.scenario import Goal, Scenario, Size, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.bench.scenario import Figures, Subject

HALF = Goal("ours of theirs", ratio("per second", "ours", "theirs"), 0.5, smoke=0.25)
FULL, SMOKE = Size(smoke=False), Size(smoke=True)


def silent(_: str) -> None:
    """Says nothing."""


def series(values: Sequence[float]) -> Subject:
    """A subject that shows one of these each round."""
    numbers = count()
    return lambda: {"per second": values[next(numbers)]}


def scenario(subjects: Mapping[str, Subject], *goals: Goal, rounds: int = 3) -> Scenario:
    @contextmanager
    def stage(_: Size) -> Iterator[Mapping[str, Subject]]:
        yield subjects

    return Scenario("S0", "made up", goals, stage, rounds)


def shown(
    ours: Sequence[float], theirs: Sequence[float], size: Size = FULL, goal: Goal = HALF
) -> Result:
    """What the two show in as many rounds."""
    made = scenario({"ours": series(ours), "theirs": series(theirs)}, goal)
    return measured(made, size, len(ours), silent)


def fails() -> Figures:
    """A subject that does not get through."""
    raise ConnectionError("first line\nnobody answers")

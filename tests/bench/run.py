"""Rounds: every subject once a round, in turns, and the verdict on the goals."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.scenario import Figures, Goal, Scenario, Size, Subject


class Broken(Exception):
    """A subject did not get through; the text names it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what was measured of it: one value a round. `bound` None: it is not judged."""

    goal: Goal
    values: list[float]
    bound: float | None

    @property
    def value(self) -> float:
        """The median; nan where nothing was measured."""
        return statistics.median(self.values) if self.values else math.nan

    @property
    def met(self) -> bool:
        """Whether the goal is met, or not judged. What was not measured is not met."""
        return self.bound is None or self.goal.met(self.value, self.bound)


@dataclass(slots=True)
class Result:
    """What a scenario's rounds showed. `broken` names what ended it early, "" if nothing did."""

    scenario: Scenario
    size: Size
    rounds: list[dict[str, Figures]] = field(default_factory=list)
    broken: str = ""

    @property
    def verdicts(self) -> list[Verdict]:
        """One for each goal."""
        return [self._verdict(goal) for goal in self.scenario.goals]

    def _verdict(self, goal: Goal) -> Verdict:
        values = [goal.value(shown) for shown in self.rounds]
        return Verdict(goal, values, goal.bound_of(self.size))

    @property
    def good(self) -> bool:
        """Whether it went through and met what it is judged by."""
        return not self.broken and all(verdict.met for verdict in self.verdicts)


def measured(scenario: Scenario, size: Size, rounds: int, say: Callable[[str], None]) -> Result:
    """Set the stage and run the rounds. What fails is named in the result."""
    result = Result(scenario, size)
    say(f"== {scenario.key}: {scenario.title}")
    try:
        with scenario.stage(size) as subjects:
            for number in range(rounds):
                result.rounds.append(_round(subjects, number))
                say(f"   round {number + 1} of {rounds}: {_told(result)}")
    except Exception as error:  # noqa: BLE001 - the other scenarios are still worth running
        result.broken = _last_line(error)
        say(f"   broken: {result.broken}")
    return result


def _round(subjects: Mapping[str, Subject], number: int) -> dict[str, Figures]:
    """Each subject once; another one begins in each round."""
    names = list(subjects)
    turn = number % len(names)
    shown = {name: _shown(name, subjects[name]) for name in names[turn:] + names[:turn]}
    return {name: shown[name] for name in names}


def _shown(name: str, subject: Subject) -> Figures:
    try:
        return subject()
    except Exception as error:
        raise Broken(f"{name}: {_last_line(error)}") from error


def _last_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[-1]


def _told(result: Result) -> str:
    last = result.rounds[-1]
    return ", ".join(f"{goal.name} {goal.value(last):.3g}" for goal in result.scenario.goals)

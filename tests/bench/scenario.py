"""What a scenario is: subjects that are measured in turns, and goals on what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

Figures = dict[str, float]
"""What one subject showed in one round, by name and unit: "per second", "p50 ms", "CPU ms"."""
Subject = Callable[[], Figures]
Round = Mapping[str, Figures]
"""One round: each subject's figures, by the subject's name."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: everything, or what CI has the time for."""

    smoke: bool

    def pick(self, full: T, smoke: T) -> T:
        """The one that is meant."""
        return smoke if self.smoke else full


Stage = Callable[[Size], AbstractContextManager[Mapping[str, Subject]]]
"""Sets up the servers, and gives the subjects by name."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the median over all rounds of `value(round)`.

    A ratio is taken within a round, so that whatever the machine does at the time meets both
    sides. `smoke` is the looser bound that CI judges by; without one, CI does not.
    """

    name: str
    value: Callable[[Round], float]
    bound: float
    at_least: bool = True
    smoke: float | None = None

    def bound_of(self, size: Size) -> float | None:
        """What it is judged by at this size, if at all."""
        return self.smoke if size.smoke else self.bound

    def met(self, value: float, bound: float) -> bool:
        """Whether this is good enough."""
        return value >= bound if self.at_least else value <= bound


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the bench. `key` is its number, `title` what happens in it."""

    key: str
    title: str
    goals: tuple[Goal, ...]
    stage: Stage
    rounds: int = 5
    in_smoke: bool = True
    """Whether CI has the time for it."""


def ratio(figure: str, ours: str, theirs: str, times: float = 1.0) -> Callable[[Round], float]:
    """One subject's figure over another's, `times` a factor."""
    return lambda shown: times * shown[ours][figure] / shown[theirs][figure]


def figure(name: str, of: str) -> Callable[[Round], float]:
    """A subject's figure as it is."""
    return lambda shown: shown[of][name]

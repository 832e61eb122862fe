"""S11: what the agent costs the node, beside the least that one on aiohttp would cost."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.coordinator import Coordinators
from tests.bench.scenario import Goal, Scenario, Size, Subject, ratio
from tests.bench.subjects import MANY, PSS, RENEWAL, RSS, START_CPU, Bench, folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.bench.scenario import Round

BARE = "aiohttp, bare"
AGENTS = ("library", "run", "hold", "sidecar")
BOUND = 1.3
IN_SHORT = 1.7
"""For what so few renewals show on a machine that others use too."""


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with folder() as place, Coordinators() as coordinators:
        bench = Bench(coordinators, Path(place), size.pick(200, 80))
        full = {f"sidecar, {MANY} slots": bench.sidecar_full}
        yield {
            "python -c pass": bench.python,
            BARE: bench.aiohttp,
            "library": bench.library,
            "run": bench.run,
            "hold": bench.hold,
            "sidecar": bench.sidecar,
            **size.pick(full, {}),
        }


def _worst(figure: str) -> Callable[[Round], float]:
    """Of the agent that has the most of it."""
    return lambda shown: max(ratio(figure, agent, BARE)(shown) for agent in AGENTS)


def _goal(name: str, value: Callable[[Round], float], smoke: float = BOUND) -> Goal:
    return Goal(f"{name}, of {BARE}", value, BOUND, at_least=False, smoke=smoke)


SCENARIO = Scenario(
    "S11",
    "agents: start until the first request, memory, CPU of a renewal",
    (
        _goal("start, CPU, the slowest agent", _worst(START_CPU)),
        _goal("resident, the largest agent", _worst(RSS)),
        _goal("PSS, the largest agent", _worst(PSS)),
        *(
            _goal(f"renewal, CPU, {agent}", ratio(RENEWAL, agent, BARE), IN_SHORT)
            for agent in AGENTS
        ),
    ),
    _stage,
)

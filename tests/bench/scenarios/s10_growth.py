"""S10: what a cycle and a hand-over cost as the cluster and its queues grow.

Every cluster has the same ten busy nodes. The other nodes of a larger one each have a holder and a
claim that waits, which renew; longer queues stand behind the claims that cycle on the busy nodes.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.bench.rig import Rig
from tests.bench.scenario import Figures, Goal, Round, Scenario, Size, Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.bench.served import Served

BUSY, SLOTS = 10, 3
HAND_OVER = "hand-over p50 ms"


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    seconds = size.pick(4.0, 1.0)
    with ExitStack() as stack:
        subjects: dict[str, Subject] = {}
        for nodes in size.pick((10, 100, 1_000, 5_000), (10, 200)):
            rig = stack.enter_context(Rig())
            run = stack.enter_context(_cluster(rig, nodes, seconds))
            lengths = size.pick((1, 10, 100, 1_000), (1, 100)) if nodes == BUSY else (1,)
            subjects |= {_name(nodes, length): partial(run, length) for length in lengths}
        yield subjects


def _name(nodes: int, waiting: int) -> str:
    return f"{nodes:,} nodes, {waiting:,} waiting on each"


@contextmanager
def _cluster(rig: Rig, count: int, seconds: float) -> Iterator[Callable[[int], Figures]]:
    busy, others = rig.nodes(BUSY, "busy"), rig.nodes(count - BUSY, "other")
    (alone,) = rig.nodes(1, "alone")
    rig.limits(1, busy=SLOTS)
    with rig.coordinator("--max-queue-per-node", "2000") as served, ExitStack() as stack:
        if others:
            what = {"nodes": others, "held": 1, "waiting": 1}
            stack.enter_context(rig.beside("background", url=served.url, **what))
        yield partial(_measured, rig, served, busy, alone, seconds)


def _measured(
    rig: Rig, served: Served, busy: list[str], alone: str, seconds: float, waiting: int
) -> Figures:
    config: dict[str, Any] = {"url": served.url, "behind": waiting - 1, "warm_up": seconds / 4}
    many = rig.load("cycles", nodes=busy, slots=SLOTS, seconds=seconds, **config)
    one = rig.load("cycles", nodes=[alone], slots=1, seconds=seconds / 2, **config)
    return {"cycles per second": many["per second"], HAND_OVER: one["p50 ms"]}


def slowest(shown: Round) -> float:
    """The fewest cycles per second of any size, of those in the smallest."""
    first, *others = (figures["cycles per second"] for figures in shown.values())
    return min(others) / first


def _longest(shown: Round) -> float:
    first, *others = (figures[HAND_OVER] for figures in shown.values())
    return max(others) / first


SCENARIO = Scenario(
    "S10",
    "the cost of growth",
    (
        Goal("cycles at the worst size, of those at the smallest", slowest, 0.75, smoke=0.4),
        Goal(
            "hand-over at the worst size, of that at the smallest",
            _longest,
            1.25,
            at_least=False,
            smoke=3.0,
        ),
    ),
    _stage,
    rounds=3,
)

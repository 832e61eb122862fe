"""S3: one slot goes from its holder to the one who waits, on a node where nothing else happens."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.bench.rig import BARE, Rig
from tests.bench.rivals import redis_server
from tests.bench.scenario import Goal, Scenario, Size, Subject, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


OURS, PUT = "node-slots", "bare PUT"
CROWD = 32
RIVALS = {
    # How many places side by side, and how many hand-overs of each: what takes seconds does not
    # mind company, and would take minutes without.
    "sherlock": (4, 10),
    "Redis Lock": (4, 10),
    "retry every 2 s": (10, 1),
    "Velero's requeue": (10, 1),
    "etcd lock": (1, 40),
    "Redis BLPOP": (1, 100),
}
IN_SMOKE = "sherlock"
"""The one that CI has the time for, and needs no other server."""


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with ExitStack() as stack:
        rig = stack.enter_context(Rig())
        nodes = rig.nodes(CROWD)
        rig.limits(1)
        served = stack.enter_context(rig.coordinator())
        ours = partial(rig.load, "handover", OURS, coordinator=served.url, nodes=nodes)
        count = size.pick(150, 30)
        yield {
            OURS: partial(ours, at_once=1, count=count),
            PUT: _bare(rig, PUT, at_once=1, count=count),
            **size.pick(_others, _in_smoke)(rig, stack, ours),
        }


def _others(rig: Rig, stack: ExitStack, ours: Callable[..., Any]) -> dict[str, Subject]:
    folder = rig.folder / "redis"
    folder.mkdir()
    redis = stack.enter_context(redis_server.running(folder))
    return {
        "bare PUT, back to back": _bare(rig, "bare PUT, back to back", at_once=1, count=150),
        f"{OURS}, {CROWD} at once": partial(ours, at_once=CROWD, count=10),
        f"{PUT}, {CROWD} at once": _bare(rig, PUT, at_once=CROWD, count=10),
        **{
            rival: _bare(rig, rival, at_once=at_once, count=count, redis=redis)
            for rival, (at_once, count) in RIVALS.items()
        },
    }


def _in_smoke(rig: Rig, _stack: ExitStack, _ours: Callable[..., Any]) -> dict[str, Subject]:
    return {IN_SMOKE: _bare(rig, IN_SMOKE, at_once=4, count=5)}


def _bare(rig: Rig, rival: str, **config: Any) -> Subject:
    """In a namespace that the coordinator does not watch."""
    return partial(rig.load, "handover", rival, namespace=BARE, **config)


def _slower(rival: str) -> Goal:
    compared = ratio("p50 ms", rival, OURS)
    return Goal(
        f"{rival}: p50 of ours",
        lambda shown: compared(shown) if rival in shown else math.nan,
        1.0,
        smoke=1.0 if rival == IN_SMOKE else None,
    )


SCENARIO = Scenario(
    "S3",
    "a hand-over: release sent to next holder told",
    (
        Goal("p50 of a bare PUT's", ratio("p50 ms", OURS, PUT), 2.0, at_least=False, smoke=3.0),
        *map(_slower, RIVALS),
    ),
    _stage,
)

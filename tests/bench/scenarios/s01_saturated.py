"""S1 and S4: every slot is wanted by somebody else all the time."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.account import per_operation
from tests.bench.rig import BARE, Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, figure, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SLOTS = 32
"""Writes under way at a time, on both sides."""
BARE_PUTS, OURS = "bare PUTs", "node-slots"
UNTRACKED = "bare PUTs without managedFields"


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    timing = {"warm_up": size.pick(2.0, 1.0), "seconds": size.pick(8.0, 3.0)}
    with Rig() as rig:
        nodes = rig.nodes(SLOTS)
        rig.limits(1)
        with rig.coordinator() as served:
            bare = partial(rig.load, "bare", concurrency=SLOTS, **(timing | {"namespace": BARE}))
            ours = partial(rig.load, "cycles", url=served.url, nodes=nodes, slots=1, **timing)
            yield {
                BARE_PUTS: partial(per_operation, rig, served, bare),
                UNTRACKED: partial(per_operation, rig, served, partial(bare, untracked=True)),
                OURS: partial(per_operation, rig, served, ours),
            }


SCENARIO = Scenario(
    "S1",
    f"saturated cycles on {SLOTS} slots, each with a claim that waits",
    (
        Goal("cycles of bare PUTs", ratio("per second", OURS, BARE_PUTS), 0.8, smoke=0.5),
        Goal("S4: writes a cycle", figure("writes", OURS), 1.05, at_least=False, smoke=1.1),
    ),
    _stage,
)

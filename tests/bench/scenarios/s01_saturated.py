"""S1 and S4: every slot is wanted by somebody else all the time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench.beside import AT_ONCE, BARE_PUTS, OURS, beside_bare
from tests.bench.rig import Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, figure, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with Rig() as rig:
        nodes = rig.nodes(AT_ONCE)
        rig.limits(1)
        with rig.coordinator() as served:
            yield beside_bare(rig, served, "cycles", nodes, size)


SCENARIO = Scenario(
    "S1",
    f"saturated cycles on {AT_ONCE} slots, each with a claim that waits",
    (
        Goal("cycles of bare PUTs", ratio("per second", OURS, BARE_PUTS), 0.8, smoke=0.45),
        Goal("S4: writes a cycle", figure("writes", OURS), 1.05, at_least=False, smoke=1.15),
    ),
    _stage,
)

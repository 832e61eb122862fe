"""S2 and S4: agents that take a free slot and give it back, with nobody waiting."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.bench.beside import AT_ONCE, BARE_PUTS, OURS, beside_bare
from tests.bench.rig import Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.scenario import Round

WRITES = 2
"""Of one cycle: its grant and its release."""


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with Rig() as rig:
        nodes = rig.nodes(AT_ONCE)
        rig.limits(1)
        with rig.coordinator() as served:
            rig.load("idle", url=served.url, nodes=nodes, warm_up=0.0, seconds=0.1)  # makes Leases
            yield beside_bare(rig, served, "idle", nodes, size)


def _writes(shown: Round) -> float:
    """To the hundredth, for the election's own writes are among them."""
    return round(shown[OURS]["writes"], 2)


SCENARIO = Scenario(
    "S2",
    f"idle cycles of {AT_ONCE} agents: a free slot granted, and given back",
    (
        Goal(
            "writes of cycles of bare PUTs",
            ratio("per second", OURS, BARE_PUTS, WRITES),
            0.8,
            smoke=0.45,
        ),
        Goal("S4: writes a cycle", _writes, float(WRITES), at_least=False, smoke=2.2),
    ),
    _stage,
)

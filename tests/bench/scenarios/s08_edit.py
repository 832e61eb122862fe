"""S8: an edit of the ConfigMap that gives every node of a large cluster another limit."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.bench.occupied import limits, occupy
from tests.bench.rig import CONFIG_MAP, Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.scenario import Figures
    from tests.bench.served import Served

NODES = 5_000
OURS = "node-slots"


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with Rig() as rig:
        occupy(rig, size.pick(NODES, 1_000), slots=1)
        rig.config_map(limits(0))
        with rig.coordinator() as served:
            yield {OURS: partial(_edit, rig, served, count(1))}


def _edit(rig: Rig, served: Served, numbers: Iterator[int]) -> Figures:
    health = urlsplit(served.health)
    cpu = served.cpu()
    figures = rig.load(
        "edit",
        name=CONFIG_MAP,
        text=limits(next(numbers)),
        log=str(rig.folder / "coordinator.log"),
        host=health.hostname,
        port=health.port,
    )
    return figures | {"coordinator CPU ms": 1000 * (served.cpu() - cpu)}


SCENARIO = Scenario(
    "S8",
    f"an edit that gives {NODES:,} nodes another limit",
    (
        Goal("to the last limit in force, ms", figure("in force ms", OURS), 250, at_least=False),
        Goal("longest block of the event loop, ms", figure("block ms", OURS), 50, at_least=False),
    ),
    _stage,
    in_smoke=False,  # both goals are absolute times
)

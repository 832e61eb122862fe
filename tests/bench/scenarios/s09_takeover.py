"""S9: a new leader learns who holds, in a large cluster."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.occupied import limits, occupy
from tests.bench.rig import CONFIG_MAP, NAMESPACE, Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, ratio
from tests.bench.served import Served
from tests.bench.story import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.scenario import Figures

NODES, SLOTS = 5_000, 10
BARE, OURS = "bare list", "node-slots"


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with Rig() as rig:
        occupy(rig, size.pick(NODES, 500), SLOTS)
        rig.config_map(limits(0))
        yield {BARE: partial(rig.load, "listing"), OURS: partial(_take_over, rig)}


def _take_over(rig: Rig) -> Figures:
    """Start a coordinator, which lists as soon as it leads, until it knows who holds everywhere.

    The election's second and the one in which it then gathers who waits (P9) are not in it.
    """
    log = rig.folder / f"takeover-{time.monotonic_ns()}.log"
    flags = ["--namespace", NAMESPACE, "--node-agent-configmap", CONFIG_MAP]
    served = Served([*flags, "--kubeconfig", str(rig.server.kubeconfig)], log)
    try:
        leading = said(log, "leading")
        cpu = served.cpu()
        whole = said(log, "took over")
        return {
            "whole s": whole - leading,
            "CPU s": served.cpu() - cpu,
            "resident MiB": served.rss(),
        }
    finally:
        served.end(10.0)


SCENARIO = Scenario(
    "S9",
    f"takeover with {NODES * SLOTS:,} Leases on {NODES:,} nodes",
    (Goal("time, of a bare list's", ratio("whole s", OURS, BARE), 1.5, at_least=False, smoke=3.0),),
    _stage,
)

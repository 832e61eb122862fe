"""S5: every slot of a large cluster is held and renewed, and nothing else happens."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.bench.answering import answering
from tests.bench.held import hold
from tests.bench.rig import Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from tests.bench.scenario import Figures
    from tests.bench.served import Measured

    Server = Callable[[], AbstractContextManager[Measured]]

OURS, BARE = "node-slots", "aiohttp, bare"
HOLDERS = 10
SPREAD = 20.0
"""Seconds over which the agents begin, and then go on: each syncs three times in its TTL of 60."""
SETTLE = 12.0
"""Seconds after that until it is measured: the load's start, and the first courtesies."""


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with Rig() as rig:
        nodes = rig.nodes(size.pick(5000, 500))
        rig.limits(HOLDERS)
        hold(rig, nodes, HOLDERS)
        seconds = size.pick(40.0, 10.0)
        bare = partial(answering, rig.folder / "bare.log")
        servers: dict[str, Server] = {OURS: rig.coordinator, BARE: bare}
        yield {
            name: partial(_renewing, rig, server, nodes, seconds)
            for name, server in servers.items()
        }


def _renewing(rig: Rig, server: Server, nodes: list[str], seconds: float) -> Figures:
    """What the server takes in a window of so many seconds in the middle of the load. It is a new
    one each time: nobody renews while the other one is measured.
    """
    with server() as served, ThreadPoolExecutor(1) as beside:
        load = beside.submit(
            rig.load,
            "renewing",
            url=served.url,
            nodes=nodes,
            slots=HOLDERS,
            spread=SPREAD,
            seconds=SETTLE + seconds + 2.0,
        )
        time.sleep(SPREAD + SETTLE)
        began, cpu, writes = time.monotonic(), served.cpu(), rig.writes()
        time.sleep(seconds)
        took = time.monotonic() - began
        figures = {
            "share of a core": (served.cpu() - cpu) / took,
            "writes per second": (rig.writes() - writes) / took,
            "RSS MiB": served.rss(),
        }
        return load.result() | figures


SCENARIO = Scenario(
    "S5",
    f"5,000 nodes, {HOLDERS} holders on each, all renewing",
    (
        Goal("share of a core", figure("share of a core", OURS), 0.15, at_least=False),
        Goal("RSS, MiB", figure("RSS MiB", OURS), 300.0, at_least=False),
        Goal("writes a second", figure("writes per second", OURS), 50.0, at_least=False),
    ),
    _stage,
    rounds=3,
    in_smoke=False,
)

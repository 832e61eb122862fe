"""S6: everything begins at midnight: ten claims on each of five thousand nodes within 5 s."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

from tests.bench.account import per_operation
from tests.bench.loads.told import spread
from tests.bench.rig import BARE, NAMESPACE, Rig
from tests.bench.scenario import Goal, Scenario, Size, Subject, figure, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from tests.bench.scenario import Figures
    from tests.bench.served import Served

OURS, PAIRS = "node-slots", "bare create + PUT"
CLAIMS, SPREAD = 10, 5.0
"""Seconds. Within ten, 500 nodes a second come, fewer than bare pairs are made: that would measure
the load."""
AT_ONCE = 32
PAUSE = 0.1
"""Seconds between two reads of the status."""


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    with Rig() as rig:
        nodes = rig.nodes(size.pick(5000, 300))
        rig.limits(1)
        timing = {"warm_up": 2.0, "seconds": size.pick(8.0, 3.0)}
        bare = {"namespace": BARE, "concurrency": AT_ONCE, "create": True}
        pairs = partial(rig.load, "bare", **(timing | bare))
        yield {
            PAIRS: partial(per_operation, rig, None, pairs),
            OURS: partial(_crowd, rig, nodes, SPREAD * len(nodes) / 5000),
        }


def _crowd(rig: Rig, nodes: list[str], seconds: float) -> Figures:
    """A coordinator that knows nothing but the nodes, a crowd, and somebody who looks."""
    path = f"apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
    rig.bulk([(path, {"apiVersion": "v1", "kind": "DeleteOptions"})], "DELETE")
    with rig.coordinator() as served, ThreadPoolExecutor(1) as beside:
        come = partial(
            rig.load,
            "midnight",
            url=served.url,
            pid=served.pid,
            nodes=nodes,
            claims=CLAIMS,
            spread=seconds,
            seconds=60.0,
        )
        crowd = beside.submit(per_operation, rig, served, come)
        looks = _looks(served, nodes[0], crowd)
    return crowd.result() | {"status p99 ms": spread(looks)["p99 ms"], "reads": float(len(looks))}


def _looks(served: Served, node: str, until: Future[Figures]) -> list[float]:
    """Somebody reads all the while, one thing after the other; seconds that each took."""
    pool = f"/v1/namespaces/{NAMESPACE}"
    took = []
    for path in cycle(
        ["/v1/status", pool, f"{pool}/nodes", f"{pool}/nodes/{node}", f"{pool}/claims"]
    ):
        if until.done():
            break
        began = time.perf_counter()
        served.get(path)
        took.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    return took


SCENARIO = Scenario(
    "S6",
    f"midnight: {CLAIMS} claims on each of 5,000 nodes within {SPREAD:g} s",
    (
        Goal("first grants of bare pairs", ratio("per second", OURS, PAIRS), 0.7),
        Goal("p99 of status reads, ms", figure("status p99 ms", OURS), 250.0, at_least=False),
        Goal("KB a waiter", figure("KB a waiter", OURS), 1.5, at_least=False),
    ),
    _stage,
    rounds=3,
    in_smoke=False,  # it says something only when it is large
)

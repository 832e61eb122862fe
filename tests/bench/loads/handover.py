"""`python -m tests.bench.loads.handover RIVAL JSON`: how long a rival's hand-overs take.

The JSON object says how the servers are reached, and `count` and `at_once`: so many hand-overs one
after the other, of so many places side by side.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tests.bench.loads.told import main, spread
from tests.bench.rivals import (
    bare_put,
    etcd_lock,
    node_slots,
    redis_lock,
    retrying,
    sherlock_lock,
    velero,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.bench.scenario import Figures

    Measure = Callable[[dict[str, Any]], Awaitable[list[float]]]

RIVALS: Mapping[str, Measure] = {
    "node-slots": node_slots.LOCK.latencies,
    "bare PUT": bare_put.paced,
    "bare PUT, back to back": bare_put.back_to_back,
    "etcd lock": etcd_lock.LOCK.latencies,
    "Redis BLPOP": redis_lock.SEMAPHORE.latencies,
    "Redis Lock": redis_lock.LOCK.latencies,
    "sherlock": sherlock_lock.LOCK.latencies,
    "retry every 2 s": retrying.LOCK.latencies,
    "Velero's requeue": velero.LOCK.latencies,
}


async def handover(config: dict[str, Any]) -> Figures:
    """The spread of its hand-overs."""
    return spread(await RIVALS[sys.argv[1]](config))


if __name__ == "__main__":
    main(handover)

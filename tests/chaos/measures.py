"""What is measured, try by try. Every time is in seconds; grants are seen in etcd."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from agent_client.session import margin
from tests.chaos.agent import TTL
from tests.chaos.crowd import AGENT
from tests.chaos.front import Front

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.chaos.field import Field
    from tests.e2e.processes import Program

Samples = dict[str, list[float]]
"""By what was measured."""

PATIENCE = 120.0
_LOOK = 0.01
CALM = 2.0
"""Seconds of grants between two tries."""
VICTIMS = 6
"""Agents that are killed in one batch; their node has so many slots."""
LATECOMER = 10.0
"""Seconds before the end of an outage at which somebody asks for a slot that is free."""


async def until(look: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Waits for what another task notes down."""
    deadline = time.monotonic() + patience
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {patience:g} s: {what}")
        await asyncio.sleep(_LOOK)


def mill(ground: Field, node: str, name: str, loads: int, seconds: tuple[float, float]) -> Program:
    """A library agent that takes slots of a node, again and again."""
    command = [sys.executable, str(AGENT), str(ground.folder), name, str(loads)]
    return ground.run(name, node, [*command, *map(str, seconds)])


async def grants_flow(ground: Field) -> None:
    """Both replicas are ready, somebody leads, grants come, and the last try left nothing behind.

    Loads that ended while nobody led gave up their releases; their slots are held until the TTL.
    """
    for replica in ground.replicas:
        assert replica.program is not None, f"replica {replica.number} does not run"
        await asyncio.to_thread(replica.program.wait_ready)
    await until(lambda: ground.leader, "a leader")
    await asyncio.sleep(CALM)
    before = len(ground.history.grants)
    await until(lambda: len(ground.history.grants) > before, "grants")
    await until(lambda: not _stale(ground), "only loads that run hold slots")


def _stale(ground: Field) -> list[str]:
    """Slots that somebody has held for longer than any load of the mill works."""
    old = time.monotonic() - CALM
    return [one.name for one in ground.history.newest.values() if one.claim and one.at < old]


async def without_grants(ground: Field, number: signal.Signals) -> float:
    """The longest time between two grants after the leader was ended so."""
    await grants_flow(ground)
    leader, grants = ground.leader, ground.history.grants
    assert leader is not None, "nobody leads any more"
    begin = len(grants) - 1
    sent = await ground.end(leader, number)
    await until(lambda: ground.leader not in {None, leader}, "another leader")
    took_over = time.monotonic()
    await until(lambda: grants[-1].version.at > took_over, "a grant of the new leader")
    times = [granted.version.at for granted in grants[begin:]]
    await ground.launch(leader)
    return max(after - before for before, after in pairwise(times) if after > sent)


async def slots_of_the_killed(ground: Field, node: str, batch: int, rng: Random) -> Samples:
    """Agents with one long load each, killed one after the other, and when their slots are free."""
    names = [f"victim-{batch}-{number}" for number in range(VICTIMS)]
    programs = [await asyncio.to_thread(mill, ground, node, one, 1, (900, 900)) for one in names]
    await until(lambda: len(_held(ground, names)) == VICTIMS, "all victims hold")
    slots, killed = _held(ground, names), {}
    for name, program in zip(names, programs, strict=True):
        await asyncio.sleep(rng.uniform(0, TTL / 3))
        killed[name] = time.monotonic()
        await asyncio.to_thread(program.end)
    freed: dict[str, float] = {}
    while len(freed) < VICTIMS:
        gone = set(names) - _held(ground, names).keys() - freed.keys()
        freed |= {name: ground.history.newest[slots[name]].at for name in gone}
        await asyncio.sleep(_LOOK)
    renewed = _last_renewals(ground, names)
    return {
        "a killed agent's slot is free, from the kill": [freed[n] - killed[n] for n in names],
        "the same, from its last answered renewal": [freed[n] - renewed[n] for n in names],
    }


def _held(ground: Field, names: list[str]) -> dict[str, str]:
    """The slot by agent; claims of a library agent begin with its name."""
    held = {one.claim.partition(".")[0]: one.name for one in ground.history.newest.values()}
    return {name: held[name] for name in names if name in held}


def _last_renewals(ground: Field, names: list[str]) -> dict[str, float]:
    """When the last answered request was sent, by the agents' own lines."""
    found: dict[str, float] = {}
    for line in (ground.folder / "journal").read_text().splitlines():
        told = json.loads(line)
        name = told["load"].partition(".")[0]
        if name in names:
            found[name] = float(told["SLOT_HELD_UNTIL"]) - TTL + margin(TTL)
    return found


async def outage(ground: Field, free_node: str, number: int, seconds: float) -> Samples:
    """The API server answers 503 for so long; on `free_node` a slot is free all the time."""
    await grants_flow(ground)
    fronts = [replica.api for replica in ground.replicas if isinstance(replica.api, Front)]
    for front in fronts:
        front.go_away()
    await asyncio.sleep(seconds - LATECOMER)
    late = await asyncio.to_thread(mill, ground, free_node, f"late-{number}", 1, (0.1, 0.1))
    await asyncio.sleep(LATECOMER)
    asked = [dict(front.asked) for front in fronts]
    over = time.monotonic()
    for front in fronts:
        front.come_back()
    grants = ground.history.grants
    await until(lambda: grants[-1].version.at > over, "a grant after the outage")
    first = min(one.version.at for one in grants if one.version.at > over)
    late.send(signal.SIGTERM)
    found = {"from an outage's end to the first grant": [first - over]}
    for counts in asked:
        for stream, count in counts.items():
            found.setdefault(f"requests/s in an outage: {stream}", []).append(count / seconds)
    return found

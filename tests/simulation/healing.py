"""The end of a seed: all troubles are over, and everything has to come to rest by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.service.errors import ServiceError
from tests.simulation import hands
from tests.simulation.plan import ApiFaults, NetFaults, WatchFaults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.replicas import Replica
    from tests.simulation.world import World

PATIENCE = 400
"""Virtual seconds within which every load is done and every slot is free again."""


def heal(world: World) -> None:
    """No fault happens any more, and nothing that operators broke stays broken."""
    world.log("world", "is healed")
    world.healing = True
    world.api.faults, world.api.watch_faults = ApiFaults(), WatchFaults()
    world.net.faults = NetFaults()
    world.api.crash_in = world.net.deaths = 0
    world.troubles.back()
    world.api.weather.cut_off.clear()
    for node in world.nodes:
        hands.add_node(world, node)
        hands.ready(world, node, "True")
        hands.hold(world, node, None)
    hands.heal_leases(world)
    hands.set_limits(world)
    if world.rng("last words").random() < 0.3:
        hands.break_limits(world, world.rng("last words"))
    _wake(world)


def _wake(world: World) -> None:
    """Whoever is paused goes on, whoever is dead is started."""
    for replica in world.net.replicas:
        if replica.process is not None:
            replica.process.resume()
        replica.start()
    for agent in world.agents:
        if agent.process is not None:
            agent.process.resume()
        agent.start()
        for load in agent.loads.values():  # what is left to do takes no time worth mentioning
            load.seconds = min(load.seconds, load.worked + 1.0)


def unrest(world: World) -> Iterator[str]:
    """What is not as it should be in the end."""
    for name, seen in sorted(world.watcher.truth.leases.items()):
        if seen.taken:
            yield f"{name} is still taken by {seen.claim or 'nobody of ours'}"
    for agent in world.agents:
        for load in agent.loads.values():
            yield f"{load.uid} is not done: it worked {load.worked:.1f} of {load.seconds:.1f} s"
    leaders = [r for r in world.net.replicas if r.coordinator and r.coordinator.leading]
    if len(leaders) != 1:
        yield f"{len(leaders)} replicas lead"
    for replica in leaders:
        yield from _of_leader(world, replica)


def _of_leader(world: World, replica: Replica) -> Iterator[str]:
    assert replica.coordinator is not None
    assert replica.process is not None
    pool = replica.coordinator.pool(hands.NS)
    known = world.watcher.known[replica.process]
    for node in world.nodes:
        try:
            status = pool.node(node)
        except ServiceError as error:
            yield f"{node}: {error}"
            continue
        if status.queue:
            yield f"{len(status.queue)} claims wait on {node}"
        if status.limit != known.limit(node):
            yield f"P11: {node} has the limit {status.limit}, told was {known.limit(node)}"


def quiet(world: World) -> bool:
    """Whether nothing is left to be done."""
    return not any(True for _ in unrest(world))

"""How many movers Velero lets exist: prepareQueueLength, and the workers of file system backups.

prepareQueueLength (Velero 1.17, `pkg/exposer/vgdp_counter.go`): each node-agent counts the custom
resources of the whole cluster, of all four kinds, that are Accepted or Prepared; while there are
that many it takes no New one, and looks again every 5 s. With node-slots the Accepted ones are the
movers that wait for a slot; running ones do not count. Whoever looks first when a place is free
gets it, so movers that wait for one busy node can take every place while other nodes are idle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.movers import Kind
from coordinator.core.words import count
from coordinator.velero.check_map import QUEUE, commands, length_of, too_short, wanted
from coordinator.velero.check_model import Finding, Level
from coordinator.velero.check_text import add_argument, minor
from coordinator.velero.check_versions import FILE_SYSTEM_MOVERS
from coordinator.velero.check_waits import largest

if TYPE_CHECKING:
    from coordinator.velero.check_map import Ruled
    from coordinator.velero.world import NodeAgent, World

WORKERS = "item-block-worker-count"


def queue(world: World, ours: Ruled) -> list[Finding]:
    """Whether Velero's bound on movers leaves slots idle, or there is none."""
    version = minor(world.velero)
    if version is not None and version < FILE_SYSTEM_MOVERS:
        return []  # those know no such field
    agents = [agent for agent in world.node_agents if not agent.windows]
    return [_length(world, agent, ours) for agent in agents]


def workers(world: World, ours: Ruled) -> list[Finding]:
    """Whether the server hands out file system backups fast enough for the slots.

    A worker takes one Pod (an item block) at a time and waits until all of its volumes are done
    (`handleItemBlockPostHooks` in `pkg/backup/backup.go`, since 1.16), in a backup; restores are
    all handed out at once.
    """
    used = not world.works or any(work.kind is Kind.POD_VOLUME_BACKUP for work in world.works)
    number = _workers(world)
    if number is None or not used or not ours.per_node or number >= ours.total:
        return []
    server = world.server.name if world.server else "velero"
    return [
        Finding(
            Level.NOTE,
            "workers",
            f"the server backs up the volumes of {count(number, 'Pod')} at a time (--{WORKERS})."
            f" There are {ours}: some stay idle while a file system backup runs",
            "where that is too slow, give it as many workers as there are slots; more movers"
            " wait then",
            (add_argument(world.namespace, "deployment", server, f"--{WORKERS}={ours.total}"),),
        )
    ]


def _length(world: World, agent: NodeAgent, ours: Ruled) -> Finding:
    length, most = length_of(world, agent), largest(world.works)
    seen = f"; the largest one seen has {count(most, 'volume')}" if most else ""
    if not length:
        return Finding(
            Level.NOTE,
            QUEUE,
            "not set: no bound on the movers of CSI snapshots and of restores; each volume gets its"
            f" Pod at once{seen}. No slot stays idle, and the prepare timeout of each waiting mover"
            " runs. Set it only when that is more than the nodes have room for (110 Pods a node by"
            " default)",
        )
    todo = f"set at least {wanted(world, ours)}, or take it out"
    if too_short(length, ours):
        text = (
            f"{length} in the whole cluster, for {ours}: not even one mover a node can be ready for"
            " a slot that becomes free, so slots stay idle"
        )
        change = commands(world, agent, ours)
        return Finding(Level.WARNING, QUEUE, text, f"{todo}, and restart the node-agent", change)
    if length < wanted(world, ours):
        text = (
            f"{length} in the whole cluster, for {ours}{seen}: the movers that wait for one busy"
            " node can take all places, while slots of others stay idle"
        )
        return Finding(Level.NOTE, QUEUE, text, f"{todo}, unless fewer Pods matter more")
    return Finding(Level.OK, QUEUE, f"{length} movers may wait in the whole cluster{seen}")


def _workers(world: World) -> int | None:
    """Workers of the server; None where it was not seen, or its movers are no Pods."""
    version = minor(world.velero)
    if world.server is None or (version is not None and version < FILE_SYSTEM_MOVERS):
        return None
    given = world.server.flags.get(WORKERS, "1")
    return int(given) if given.isdecimal() else None

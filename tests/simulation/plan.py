"""What a seed tries: its size, and which kinds of faults happen how often (swarm testing).

Each seed enables a random part of the kinds only: faults that are always on hide one another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class ApiFaults:
    """Shares of the requests to the API server that meet this end, 0 to 1."""

    slow: float = 0.0
    lost: float = 0.0
    unanswered: float = 0.0
    refused: float = 0.0
    error_before: float = 0.0
    error_after: float = 0.0
    error_then_commit: float = 0.0
    cut_then_commit: float = 0.0
    repeated: float = 0.0
    resent: float = 0.0
    throttled: float = 0.0


@dataclass(frozen=True, slots=True)
class WatchFaults:
    """Shares of the watches that end badly, and of the events that come late."""

    late: float = 0.0
    breaks: float = 0.0
    stalls: float = 0.0


@dataclass(frozen=True, slots=True)
class NetFaults:
    """Shares of the agents' requests that meet this end."""

    slow: float = 0.0
    lost: float = 0.0
    unanswered: float = 0.0
    repeated: float = 0.0
    half_open: float = 0.0


@dataclass(frozen=True, slots=True)
class Happenings:
    """How often things happen in the cluster, in events per virtual minute."""

    outage: float = 0.0
    compaction: float = 0.0
    restore: float = 0.0
    replica_crash: float = 0.0
    replica_pause: float = 0.0
    replica_stop: float = 0.0
    crash_at_write: float = 0.0
    cut_off: float = 0.0
    agent_crash: float = 0.0
    dies_at_grant: float = 0.0
    agent_pause: float = 0.0
    agents_rolled: float = 0.0
    wall_jump: float = 0.0
    limits: float = 0.0
    bad_limits: float = 0.0
    labels: float = 0.0
    hold: float = 0.0
    node_gone: float = 0.0
    node_not_ready: float = 0.0
    lease_label: float = 0.0
    lease_deleted: float = 0.0
    holder_cleared: float = 0.0
    foreign_lease: float = 0.0
    terminating_lease: float = 0.0
    pod_finished: float = 0.0
    pod_deleted: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed's size and faults."""

    seconds: float
    """Virtual seconds of trouble; after that everything is healed."""
    replicas: int
    nodes: int
    agents: int
    scripts: int
    """Callers that take single claims by PUT and DELETE."""
    loads: float
    """New loads per agent and minute."""
    api: ApiFaults
    watch: WatchFaults
    net: NetFaults
    happenings: Happenings
    headroom: int
    """Slots of each node that only urgent claims may have."""


K = TypeVar("K", ApiFaults, WatchFaults, NetFaults, Happenings)


def plan_of(rng: Random) -> Plan:
    """The plan that this source of chance makes."""
    size = rng.choice((1, 1, 2, 3))
    agents = rng.randint(2, 4) * size
    return Plan(
        seconds=rng.uniform(60, 200) / size,
        replicas=rng.choice((1, 2, 2, 3)),
        nodes=min(size, rng.randint(1, 3)),
        agents=agents,
        scripts=rng.choice((0, 0, 1, 2)),
        loads=rng.choice((1.0, 3.0, 8.0)),
        api=_some(ApiFaults, rng, 0.01, 0.2),
        watch=_some(WatchFaults, rng, 0.05, 0.5),
        net=_some(NetFaults, rng, 0.01, 0.2),
        happenings=_some(Happenings, rng, 0.5, 4.0),
        headroom=rng.choice((0, 0, 0, 0, 1)),
    )


def _some(kind: type[K], rng: Random, least: float, most: float) -> K:
    """Some of the kinds, each with a rate between the two, small ones as likely as large."""
    share = rng.choice((0.0, 0.15, 0.35, 0.7))
    low, high = math.log(least), math.log(most)
    drawn = {field.name: math.exp(rng.uniform(low, high)) for field in fields(kind)}
    chosen = {name: rate for name, rate in drawn.items() if rng.random() < share}
    return kind(**chosen)

"""Movers that wait for a slot until Velero is about to fail them (its prepare timeout).

Velero counts from the moment at which it accepted the work, shortly before it makes the Pod, and
looks once a minute (measured on 1.18). The Pod's creation is the best that is seen of it here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from coordinator.core.waits import wait_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from coordinator.core.claims import Claim
    from coordinator.core.model import PodRef
    from coordinator.core.movers import Kind
    from coordinator.core.pods import PodIndex
    from coordinator.core.slots import NodeTable
    from coordinator.core.waits import LongWait

    TableOf = Callable[[str], NodeTable | None]

LATE = 0.75
"""The part of the prepare timeout after which a mover that waits is told of. The rest is time to
act in; of a short timeout it is short."""


@dataclass(slots=True)
class Mover:
    """A mover Pod that has not finished."""

    pod: PodRef
    kind: Kind
    governed: bool
    made: float
    """When it was made, by the coordinator's own clock."""
    counted: bool = False
    """Whether it was counted as ungoverned."""
    warned: bool = False
    """Whether its end was told of."""


@dataclass(frozen=True, slots=True)
class NearTimeout:
    """A mover that has waited for `age` seconds, and is failed in `left`: below 0, at any time."""

    kind: Kind
    age: float
    left: float
    wait: LongWait


def near_timeouts(
    movers: Iterable[Mover], named: PodIndex, table_of: TableOf, timeout: float, now: float
) -> Iterator[tuple[Mover, NodeTable, Claim]]:
    """The movers whose claims wait when `LATE` of the timeout is over, with table and claim.

    A timeout of 0 ends nothing. Only while somebody asks for the claim.
    """
    for mover in movers if timeout else ():
        if now >= mover.made + LATE * timeout:
            for table, claim in _waiting(mover, named, table_of, now):
                yield mover, table, claim


def warnings(
    movers: Iterable[Mover],
    named: PodIndex,
    table_of: TableOf,
    timeout: float,
    now: float,
    most: int,
) -> list[NearTimeout]:
    """Those that are to be told of now, `most` at most; they count as told from here."""
    untold = (mover for mover in movers if not mover.warned)
    return [
        _warn(mover, table, claim, timeout, now)
        for mover, table, claim in islice(
            near_timeouts(untold, named, table_of, timeout, now), most
        )
    ]


def _waiting(
    mover: Mover, named: PodIndex, table_of: TableOf, now: float
) -> Iterator[tuple[NodeTable, Claim]]:
    for node, name in named.claims_of((mover.pod.namespace, mover.pod.name)):
        table = table_of(node)
        claim = table.roll.claims.get(name) if table else None
        if table is not None and claim is not None and _waits(table, claim, mover, now):
            yield table, claim
            return


def _waits(table: NodeTable, claim: Claim, mover: Mover, now: float) -> bool:
    pod = claim.terms.pod
    same = pod is not None and pod.uid in ("", mover.pod.uid)
    return same and claim.id in table.roll.queue and claim.present(now, table.policy.presence)


def _warn(mover: Mover, table: NodeTable, claim: Claim, timeout: float, now: float) -> NearTimeout:
    mover.warned = True
    age = now - mover.made
    return NearTimeout(mover.kind, age, timeout - age, wait_of(table, claim, mover.pod, now))

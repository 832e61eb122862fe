"""Most events of a watch of Leases are echoes of our own writes: what they tell is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.names import split_lease_name
from coordinator.kube import records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.kube.answers import Json
    from coordinator.service.desk import Desk


def is_echo(desks: Mapping[str, Desk], obj: Json) -> bool:
    """Whether its node's table knows this very state of the Lease, so that nobody need read it."""
    name, uid, version = records.identity_of(obj)
    place = split_lease_name(name)
    desk = desks.get(place[0]) if place else None
    slot = desk.table.picture.slots.get(place[1]) if desk and place else None
    lease = slot.lease if slot else None
    return lease is not None and (lease.name, lease.uid, lease.version) == (name, uid, version)

"""Faults about the slots that are kept for restores, planted like those of `planted`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import headroom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

    from coordinator.core.claims import Claim
    from coordinator.core.model import Lease
    from coordinator.core.picture import Slot
    from coordinator.core.slots import NodeTable

    Patch = pytest.MonkeyPatch


def headroom_counts_no_writes(patch: Patch) -> None:
    """Only what the Leases show counts, and no grant of which nobody knows how it ended."""

    def is_ordinary(table: NodeTable, slot: Slot) -> bool:
        return any(one.taken and not headroom._is_urgently_held(table, one) for one in slot.told)

    patch.setattr(headroom, "_is_ordinary", is_ordinary)


def headroom_counts_the_heir_alone(patch: Patch) -> None:
    """A slot that is being handed to a restore counts as its own before the write stands."""
    real = headroom._is_ordinary

    def is_ordinary(table: NodeTable, slot: Slot) -> bool:
        heir = table.roll.claims.get(slot.heir) if slot.heir else None
        return real(table, slot) and not (heir and headroom.is_urgent(table, heir.terms))

    patch.setattr(headroom, "_is_ordinary", is_ordinary)


def headroom_counts_unknown_holders_as_restores(patch: Patch) -> None:
    """A Lease that tells nobody's priority takes nothing of what backups may have."""

    def is_urgently_held(table: NodeTable, lease: Lease) -> bool:
        return lease.holder is None or headroom.is_urgent(table, lease.holder.terms)

    patch.setattr(headroom, "_is_urgently_held", is_urgently_held)


def headroom_is_shown_only(patch: Patch) -> None:
    """Whoever comes first gets the slots that are kept; only the status tells of them."""

    def admitted(
        table: NodeTable, claims: Iterable[Claim], parting: Slot | None = None
    ) -> Iterator[Claim]:
        return iter(claims)

    patch.setattr(headroom, "admitted", admitted)
    patch.setattr(headroom, "fits", lambda table, grant: True)


ALL = (
    headroom_is_shown_only,
    headroom_counts_no_writes,
    headroom_counts_the_heir_alone,
    headroom_counts_unknown_holders_as_restores,
)

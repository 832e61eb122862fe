"""Faults about whose claim it is, planted like those of `planted`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core import asks
from coordinator.core.claims import Roll

if TYPE_CHECKING:
    import pytest

    Patch = pytest.MonkeyPatch


def owners_do_not_matter(patch: Patch) -> None:
    """Whoever comes with a claim's id is taken for its owner."""
    patch.setattr(asks, "require_owner", lambda table, claim, owner, now: None)


def hearsay_bars_everybody(patch: Patch) -> None:
    """An id that somebody released, and that nobody knew, is refused to its owner too."""

    def remember(roll: Roll, claim: str, owner: str, now: float) -> None:
        roll.remember(claim, "released", "", now)

    patch.setattr(Roll, "remember_hearsay", remember)

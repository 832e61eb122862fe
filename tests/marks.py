"""Cases that only who names their mark runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def only_by_name(marker: str, config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """Those with the mark; they are chosen, and never skipped, only where the command names it."""
    theirs = [item for item in items if item.get_closest_marker(marker)]
    if marker not in config.getoption("markexpr"):
        config.hook.pytest_deselected(items=theirs)
        items[:] = [item for item in items if item not in theirs]
    return theirs

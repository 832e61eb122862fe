"""Kyverno's command line takes five minutes to build: only who names its mark asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARKER = "kyverno"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `-m kyverno` its cases are not chosen, and nothing is skipped."""
    if MARKER in config.getoption("markexpr"):
        return
    theirs = [item for item in items if item.get_closest_marker(MARKER)]
    config.hook.pytest_deselected(items=theirs)
    items[:] = [item for item in items if item not in theirs]

"""Kyverno's command line takes five minutes to build: only who names its mark asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.marks import only_by_name

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only_by_name("kyverno", config, items)

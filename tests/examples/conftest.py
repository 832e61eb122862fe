"""A sidecar of the test's own, and the workers that ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.sidecar import FakeSidecar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[FakeSidecar]:
    with FakeSidecar(tmp_path / "sock") as made:
        yield made

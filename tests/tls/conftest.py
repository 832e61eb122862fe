"""An API server with an empty Secret and empty ConfigMaps, as the manifests ship them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tls.scene import Scene, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with opened() as made:
        yield made

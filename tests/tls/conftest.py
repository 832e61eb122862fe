"""An API server with an empty Secret and empty ConfigMaps, as the manifests ship them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import uvloop

from tests.tls.scene import Scene, opened

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncIterator, Callable


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], AbstractEventLoop]]:
    """What listens here does so on the loop that the coordinator has."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with opened() as made:
        yield made

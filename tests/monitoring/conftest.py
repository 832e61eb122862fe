"""One busy coordinator for all that look at what it left behind: its last scrape and its log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.monitoring import busy

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Lived:
    """What a coordinator showed and wrote until it ended."""

    scrape: str
    log: list[str]


async def _live(folder: Path) -> Lived:
    async with busy.running(folder) as coordinator:
        await busy.live(coordinator)
        scrape = await coordinator.scrape()
    return Lived(scrape, coordinator.lines())


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return asyncio.run(_live(tmp_path_factory.mktemp("lived")))


@pytest.fixture(scope="session")
def scrape(lived: Lived) -> str:
    return lived.scrape

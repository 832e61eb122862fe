"""A running reflector, what it told, and what a server answers it with."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from coordinator.kube.reflector import Reflector, StreamEvent
from tests.kube.fakes import DEADLINE, Clock, Reply, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from coordinator.kube.client import KubeClient

PATH = "/api/v1/nodes"


def obj(name: str, version: int, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": str(version)}, **more}


def listed(version: int, *items: dict[str, Any], onward: str = "") -> Reply:
    head = {"resourceVersion": str(version), "continue": onward}
    return answer(200, {"kind": "NodeList", "metadata": head, "items": list(items)})


def event(kind: str, thing: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": thing}


@dataclass
class Watcher:
    """A running reflector and what it told."""

    reflector: Reflector
    clock: Clock
    told: list[StreamEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def sink(self, event: StreamEvent) -> None:
        self.told.append(event)
        self.news.set()


async def until(watcher: Watcher, kind: type[StreamEvent], times: int = 1) -> list[Any]:
    """The events of one kind, once there are so many."""
    async with asyncio.timeout(DEADLINE):
        while True:
            found = [told for told in watcher.told if isinstance(told, kind)]
            if len(found) >= times:
                return found
            watcher.news.clear()
            await watcher.news.wait()


@asynccontextmanager
async def watching(client: KubeClient, **options: Any) -> AsyncIterator[Watcher]:
    clock = Clock()
    usual: dict[str, Any] = {"rng": Random(1), "clock": clock, "sleep": clock.sleep}
    watcher = Watcher(Reflector(client, PATH, **(usual | options)), clock)
    task = asyncio.create_task(watcher.reflector.run(watcher.sink))
    try:
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

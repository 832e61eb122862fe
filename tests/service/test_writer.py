"""Writes are sent a bounded number at a time, and those that wait use up no deadline."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, cast

from coordinator.core import messages as m
from coordinator.core.model import Lease
from coordinator.service.clock import Clock
from coordinator.service.gate import Gate
from coordinator.service.writer import LANES, Writer

if TYPE_CHECKING:
    from coordinator.kube.leases import LeaseStore

MORE = 10


class SlowStore:
    """Creates Leases once it is let go."""

    def __init__(self) -> None:
        self.sending = 0
        self.most = 0
        self.full, self.go = asyncio.Event(), asyncio.Event()

    async def create(self, _namespace: str, _node: str, name: str) -> Lease:
        self.sending += 1
        self.most = max(self.most, self.sending)
        if self.sending >= LANES:
            self.full.set()
        await self.go.wait()
        self.sending -= 1
        return Lease(name, "uid", 1)


async def test_no_more_writes_are_sent_at_a_time_than_there_are_lanes() -> None:
    store = SlowStore()
    writer = Writer("velero", cast("LeaseStore", store), Gate(Random(1)), Clock())
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(writer.perform("n", m.Make(number, number, f"n-slot-{number}")))
            for number in range(LANES + MORE)
        ]
        await store.full.wait()
        assert not writer.idle
        store.go.set()
    assert store.most == LANES
    assert all(isinstance(task.result(), m.Written) for task in tasks)
    assert writer.idle

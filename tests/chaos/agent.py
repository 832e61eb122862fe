"""An agent with several loads in one process, through the library; each load is only a task.

`python agent.py FOLDER NAME LOADS SHORTEST LONGEST`: so many loads at a time, each of which holds
its slot for so many seconds, one after the other until SIGTERM. A load ends as soon as its session
says no more that it holds (what `slot-agent run --strict` does to its command).

The lines of the journal tell how long the session will count as held: whoever stops this process
learns there up to when its loads were held. A load that was killed is begun again by the next
process of the same name, under the same claim.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from agent_client import SlotClient, SlotError
from agent_client.clock import boottime
from agent_client.session import State

if TYPE_CHECKING:
    from agent_client.slot import Slot

TTL = 10
_LOOK = 0.1
"""Seconds between two looks at the session."""


class Loads:
    """What this process runs."""

    def __init__(self, folder: Path, name: str, seconds: tuple[float, float]) -> None:
        self._folder, self._name, self._seconds = folder, name, seconds
        self._boot = uuid.uuid4().hex[:6]
        self._running = folder / f"running-{name}"
        self._running.mkdir(exist_ok=True)
        self._left = sorted(mark.name for mark in self._running.iterdir())

    async def work(self, client: SlotClient, place: int) -> None:
        """One load after the other."""
        count = 0
        while True:
            count += 1
            claim = self._left.pop() if self._left else f"{self._name}.{self._boot}.{place}.{count}"
            try:
                await self._load(client, claim)
            except SlotError as error:
                self._write("failed", claim, {"SLOT_ERROR": str(error)})
                (self._running / claim).unlink(missing_ok=True)

    async def _load(self, client: SlotClient, claim: str) -> None:
        async with client.slot(load=claim, claim=claim, ttl=TTL) as slot:
            if slot.state is State.HELD:
                await self._run(slot)

    async def _run(self, slot: Slot[asyncio.Event]) -> None:
        mark = self._running / slot.claim
        mark.touch()
        over = time.monotonic() + random.uniform(*self._seconds)
        until = self._told("start", slot)
        event = "terminated"
        try:
            while slot.state is State.HELD:
                if slot._session.held_until > until:
                    until = self._told("held", slot)
                if (left := over - time.monotonic()) <= 0:
                    event = "end"
                    break
                await asyncio.sleep(min(_LOOK, left))
        finally:
            self._told(event, slot)
            mark.unlink()

    def _told(self, event: str, slot: Slot[asyncio.Event]) -> float:
        """Writes the line; what comes back is until when the session counts as held."""
        until = slot._session.held_until
        self._write(
            event,
            slot.claim,
            {
                "SLOT_CLAIM": slot.claim,
                "SLOT_LEASE": str(slot.lease),
                "SLOT_NODE": slot.node,
                "SLOT_FENCING_TOKEN": str(slot.fencing_token),
                "SLOT_HELD_UNTIL": str(until - boottime() + time.monotonic()),
            },
        )
        return until

    def _write(self, event: str, load: str, told: dict[str, str]) -> None:
        line = json.dumps({"event": event, "load": load, "at": time.monotonic(), **told}) + "\n"
        journal = os.open(self._folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(journal, line.encode())
        os.close(journal)


async def main() -> None:
    folder, name, loads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    running = Loads(folder, name, (float(sys.argv[4]), float(sys.argv[5])))
    async with SlotClient(agent=name) as client:
        work = [asyncio.create_task(running.work(client, place)) for place in range(loads)]
        ending = asyncio.gather(*work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.cancel)
        try:
            await ending
        except asyncio.CancelledError:
            await asyncio.gather(*work, return_exceptions=True)  # each gives its slot back


if __name__ == "__main__":
    asyncio.run(main())

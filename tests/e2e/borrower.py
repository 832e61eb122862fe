"""A load with the library alone: it writes its start and end into the journal as `load.py` does.

`python borrower.py tasks|threads NAME FOLDER`: holds its slot until `open` or `open-NAME` stands in
FOLDER.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_client import BlockingSlotClient, SlotClient

if TYPE_CHECKING:
    from agent_client import Slot

TTL = 10


def write(folder: Path, event: str, slot: Slot[Any]) -> None:
    told = {"SLOT_NODE": slot.node, "SLOT_LEASE": slot.lease or ""}
    line = json.dumps({"event": event, "load": slot.load, "at": time.monotonic(), **told}) + "\n"
    journal = os.open(folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(journal, line.encode())
    os.close(journal)


def is_open(folder: Path, name: str) -> bool:
    return (folder / "open").exists() or (folder / f"open-{name}").exists()


async def in_tasks(name: str, folder: Path) -> None:
    async with SlotClient().slot(load=name, ttl=TTL) as slot:
        write(folder, "start", slot)
        while not is_open(folder, name):  # noqa: ASYNC110 - the gate is a file
            await asyncio.sleep(0.01)
        write(folder, "end", slot)


def in_threads(name: str, folder: Path) -> None:
    with BlockingSlotClient().slot(load=name, ttl=TTL) as slot:
        write(folder, "start", slot)
        while not is_open(folder, name):
            time.sleep(0.01)
        write(folder, "end", slot)


if __name__ == "__main__":
    if sys.argv[1] == "tasks":
        asyncio.run(in_tasks(sys.argv[2], Path(sys.argv[3])))
    else:
        in_threads(sys.argv[2], Path(sys.argv[3]))

"""A load in steps, with a checkpoint before each; in the third step it stops itself by SIGSTOP.

`python stepper.py tasks|threads`: prints each step, and `lost` when a checkpoint says so.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from agent_client import BlockingSlotClient, SlotClient, SlotLost

TTL = 10
PAUSED_IN = 3


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def step(number: int) -> None:
    say(f"step {number}")
    if number == PAUSED_IN:
        os.kill(os.getpid(), signal.SIGSTOP)
        say("continued")


async def in_tasks() -> None:
    async with SlotClient().slot(load="stepper", ttl=TTL) as slot:
        number = 0
        while True:
            await slot.checkpoint()
            step(number := number + 1)
            await asyncio.sleep(0.01)


def in_threads() -> None:
    with BlockingSlotClient().slot(load="stepper", ttl=TTL) as slot:
        number = 0
        while True:
            slot.checkpoint()
            step(number := number + 1)
            time.sleep(0.01)


if __name__ == "__main__":
    try:
        if sys.argv[1] == "tasks":
            asyncio.run(in_tasks())
        else:
            in_threads()
    except SlotLost as error:
        say(f"lost: {error}")

"""A load that is told when its slot comes into doubt, and stops when the slot is lost.

The callbacks run in the event loop's thread and return at once; the load looks at what they set.
"""

import asyncio

from agent_client import AsyncSlot, SlotClient


async def main() -> None:
    stop = asyncio.Event()

    def lost(slot: AsyncSlot) -> None:
        print(f"{slot.load} lost its slot: {slot.problem}")
        stop.set()

    def unconfirmed(slot: AsyncSlot) -> None:
        print(f"{slot.load}: no coordinator answers, going on")

    async with SlotClient().slot(
        load="backup-9", ttl=30, on_lost=lost, on_unconfirmed=unconfirmed
    ) as slot:
        print(f"working in slot {slot.ordinal}")
        await asyncio.wait_for(stop.wait(), timeout=60)
    print("stopped")


asyncio.run(main())

"""A load in an asyncio program. Where and who comes from the environment, see docs/agents.md."""

import asyncio

from agent_client import SlotClient, SlotTimeout


async def back_up(fence: int | None) -> None:
    """The load. It hands the fencing token to whatever it writes to, which refuses lower ones."""
    print(f"backing up with token {fence}")


async def main() -> None:
    async with SlotClient() as client:  # one client for all loads: one request speaks for them
        try:
            async with client.slot(load="backup-7/pvc-3", timeout=600, cancel_on_lost=True) as slot:
                print(f"holding slot {slot.ordinal} of {slot.node} ({slot.lease})")
                await back_up(slot.fencing_token)
        except SlotTimeout as error:
            print(error)


asyncio.run(main())

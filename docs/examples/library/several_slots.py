"""Loads that make sense only together: they get all of their slots, or none."""

import asyncio

from agent_client import SlotClient, SlotTimeout, several


async def main() -> None:
    async with SlotClient() as client:
        async with client.slots(["dump", "upload"], timeout=600) as [dump, upload]:
            print(f"{dump.load} in {dump.lease}, {upload.load} in {upload.lease}")

        # The same over several clients, which may be of different nodes, pools and coordinators.
        wanted = [client.wanted(load="copy"), SlotClient().wanted(load="verify", priority=10)]
        try:
            async with several(*wanted, timeout=60) as slots:
                print("together:", ", ".join(sorted(slot.load for slot in slots)))
        except SlotTimeout as error:
            print(error)


asyncio.run(main())

"""A long loop that makes sure between its steps that the slot is still its own.

A machine that slept past the TTL wakes up in the middle of a step: the next checkpoint asks the
coordinator, and raises SlotLost if the slot went to another load meanwhile.
"""

from agent_client import BlockingSlotClient, SlotLost, SlotUnconfirmed


def main() -> None:
    with BlockingSlotClient().slot(load="restore-2", ttl=30) as slot:
        try:
            for part in range(3):
                slot.checkpoint(timeout=120)  # no step without a slot
                print(f"restoring part {part}")
        except SlotLost:
            print("another load has the slot: stopped before the next part")
        except SlotUnconfirmed:
            print("no coordinator for two minutes: stopped, to be on the safe side")


main()

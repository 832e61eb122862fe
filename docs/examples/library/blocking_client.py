"""A load in a program without asyncio. Renewals go on in a background thread while it works."""

from agent_client import BlockingSlotClient, CoordinatorUnavailable, Queued


def tell(place: Queued) -> None:
    """Called in the background thread with each new place in the queue."""
    print(f"waiting at position {place.position}: {place.reason}")


def main() -> None:
    client = BlockingSlotClient()
    try:
        with client.slot(load="scan-3", priority=-5, if_unavailable="fail", on_queued=tell) as slot:
            print(f"scanning in slot {slot.ordinal} of {slot.node}")
    except CoordinatorUnavailable as error:
        print(f"not scanned: {error}")


main()

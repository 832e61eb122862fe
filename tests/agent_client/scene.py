"""What the tests of the client share: a client of the fake coordinator, and waiting for events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agent_client.client import SlotClient
from tests.agent_client.virtual import now

if TYPE_CHECKING:
    from tests.agent_client.fake import FakeCoordinator


def client_of(fake: FakeCoordinator) -> SlotClient:
    return SlotClient(
        "http://coordinator:8443", namespace="velero", node="node1", transport=fake, clock=now
    )


async def until(condition: Any) -> None:
    """Let (virtual) time pass until `condition()` holds."""
    async with asyncio.timeout(600):
        while not condition():  # noqa: ASYNC110 - it costs no real time
            await asyncio.sleep(0.01)

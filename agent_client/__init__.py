"""The thin node-slots agent: takes a slot before a load and gives it back after.

    async with SlotClient("https://coordinator:8443").slot(load="backup-7/pvc-3") as slot:
        ...

`BlockingSlotClient` is its twin for code without asyncio.
"""

from agent_client.blocking import BlockingSlotClient
from agent_client.client import SlotClient
from agent_client.errors import (
    CoordinatorUnavailable,
    Refused,
    SettingsError,
    SlotError,
    SlotLost,
    SlotTimeout,
)
from agent_client.messages import Pod, Problem, Queued
from agent_client.session import State
from agent_client.slot import Slot

__all__ = [
    "BlockingSlotClient",
    "CoordinatorUnavailable",
    "Pod",
    "Problem",
    "Queued",
    "Refused",
    "SettingsError",
    "Slot",
    "SlotClient",
    "SlotError",
    "SlotLost",
    "SlotTimeout",
    "State",
]

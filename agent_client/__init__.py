"""The thin node-slots agent: takes a slot before a load and gives it back after.

    async with SlotClient("https://coordinator:8443").slot(load="backup-7/pvc-3") as slot:
        ...

`BlockingSlotClient` is its twin for code without asyncio. Every name here is loaded on first use,
so that importing one module of the package costs no more than that module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_client.blocking import BlockingSlotClient, blocking_several
    from agent_client.client import SlotClient
    from agent_client.errors import (
        ClientClosed,
        CoordinatorUnavailable,
        Refused,
        SettingsError,
        SlotError,
        SlotLost,
        SlotTimeout,
        SlotUnconfirmed,
    )
    from agent_client.messages import Pod, Problem, Queued
    from agent_client.session import State
    from agent_client.slot import AsyncSlot, BlockingSlot, Slot
    from agent_client.together import several

__all__ = [
    "AsyncSlot",
    "BlockingSlot",
    "BlockingSlotClient",
    "ClientClosed",
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
    "SlotUnconfirmed",
    "State",
    "blocking_several",
    "several",
]

_HOMES = {
    "blocking": ("BlockingSlotClient", "blocking_several"),
    "client": ("SlotClient",),
    "errors": (
        "ClientClosed",
        "CoordinatorUnavailable",
        "Refused",
        "SettingsError",
        "SlotError",
        "SlotLost",
        "SlotTimeout",
        "SlotUnconfirmed",
    ),
    "messages": ("Pod", "Problem", "Queued"),
    "session": ("State",),
    "slot": ("AsyncSlot", "BlockingSlot", "Slot"),
    "together": ("several",),
}
"""Which module each public name comes from."""


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            found = getattr(import_module(f"agent_client.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module 'agent_client' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

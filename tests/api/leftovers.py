"""What ended connections leave behind: nothing may wait for a look for cyclic garbage, for the
coordinator looks among what is old next to never.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coordinator.api.connections import Deadline, Guard
from coordinator.api.garbled import Reticent
from coordinator.api.secured import Secured

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = (Guard, Secured, Reticent, Deadline)


def standing() -> int:
    """How many objects of connections there are."""
    return sum(type(one) in _OURS for one in gc.get_objects())


@contextmanager
def uncollected() -> Iterator[None]:
    """Nobody looks for garbage meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def gone(before: int) -> bool:
    """Whether there are no more than before, once transports had their time to close."""
    async with asyncio.timeout(30):
        while standing() > before:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)
    return True

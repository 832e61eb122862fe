"""Velero's own limiter, as a model: nothing of Velero runs here.

Its node-agent counts data paths in memory (`datapath.Manager`). A data upload that finds no room is
put back into the controller's queue with `RequeueAfter: 5 s` and tries again then; nobody tells it
earlier that there is room. The model counts and waits likewise, at its full length. It leaves out
what a reconcile does besides (reads and a patch of the custom resource), which is in its favour.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.rivals.passing import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.rivals.passing import Config, Contender

REQUEUE_AFTER = 5.0


@dataclass(slots=True)
class DataPaths:
    """A node-agent's count of what moves data."""

    limit: int
    running: int = 0

    def begin(self) -> bool:
        """Whether there was room for one more."""
        if self.running >= self.limit:
            return False
        self.running += 1
        return True


class DataUpload:
    """One whose Pod is prepared and waits for room."""

    def __init__(self, paths: DataPaths, requeue_after: float) -> None:
        self._paths = paths
        self._requeue_after = requeue_after

    async def acquire(self) -> None:
        while not self._paths.begin():  # noqa: ASYNC110 - looking now and then is what it is
            await asyncio.sleep(self._requeue_after)

    async def release(self) -> None:
        self._paths.running -= 1


@asynccontextmanager
async def contest(
    _config: Config, places: int, each: int, requeue_after: float = REQUEUE_AFTER
) -> AsyncIterator[list[list[Contender]]]:
    """A node for each place."""
    nodes = [DataPaths(limit=1) for _ in range(places)]
    yield [[DataUpload(node, requeue_after) for _ in range(each)] for node in nodes]


LOCK = Lock(contest, REQUEUE_AFTER)

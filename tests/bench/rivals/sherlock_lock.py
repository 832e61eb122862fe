"""The library sherlock with Leases as its backend, all settings at their defaults.

Who waits reads the Lease every 0.1 s, for at most 10 s; a lock expires after 60 s. It blocks, so
that each contender is a thread with a client of its own.
"""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import kubernetes
import sherlock  # type: ignore[import-untyped]

from tests.bench.rivals.passing import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from concurrent.futures import Executor

    from tests.bench.rivals.passing import Config, Contender

RETRY_INTERVAL = 0.1


class Locker:
    """One lock object; the place is its name."""

    def __init__(self, lock: Any, threads: Executor) -> None:
        self._lock = lock
        self._threads = threads

    async def acquire(self) -> None:
        await self._in_thread(self._lock.acquire)

    async def release(self) -> None:
        await self._in_thread(self._lock.release)

    async def _in_thread(self, call: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, call)


@asynccontextmanager
async def contest(config: Config, places: int, each: int) -> AsyncIterator[list[list[Contender]]]:
    """A lock for each place."""
    names = [f"sherlock-{uuid.uuid4().hex[:12]}" for _ in range(places)]
    with ThreadPoolExecutor(places * each) as threads:
        yield [[Locker(_lock(config, name), threads) for _ in range(each)] for name in names]


def _lock(config: Config, name: str) -> Any:
    settings = kubernetes.client.Configuration()
    settings.host, settings.ssl_ca_cert = config["server"], config["ca"]
    settings.api_key = {"authorization": f"Bearer {config['token']}"}
    client = kubernetes.client.CoordinationV1Api(kubernetes.client.ApiClient(settings))
    return sherlock.KubernetesLock(name, config["namespace"], client=client)


LOCK = Lock(contest, RETRY_INTERVAL)

"""Redis, by redis-py: its Lock, and a semaphore made of a list.

The Lock is what most take: who waits tries every 0.1 s, which is its default. The semaphore is the
quickest that Redis has: a token in a list, which BLPOP waits for and RPUSH gives back. Both keep
everything in the memory of one process: what was promised is gone when it ends, and the semaphore's
token is gone too when its holder ends.
"""

from __future__ import annotations

import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from tests.bench.rivals.passing import Lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.rivals.passing import Config, Contender

SLEEP = 0.1
"""redis-py's default, told here because the release comes at any moment of it."""


class Popper:
    """One who waits for the token."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._name = name

    async def acquire(self) -> None:
        await self._redis.blpop([self._name])

    async def release(self) -> None:
        await self._redis.rpush(self._name, "token")


class Locker:
    """One with redis-py's Lock."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._lock = redis.lock(name, timeout=600)

    async def acquire(self) -> None:
        await self._lock.acquire()

    async def release(self) -> None:
        await self._lock.release()


@asynccontextmanager
async def tokens(config: Config, places: int, each: int) -> AsyncIterator[list[list[Contender]]]:
    """A list with one token for each place."""
    async with _connected(config, places * each) as connections:
        names = _names(places)
        for name in names:
            await connections[0].rpush(name, "token")
        yield [[Popper(connections.pop(), name) for _ in range(each)] for name in names]


@asynccontextmanager
async def locks(config: Config, places: int, each: int) -> AsyncIterator[list[list[Contender]]]:
    """A lock for each place."""
    async with _connected(config, places * each) as connections:
        yield [[Locker(connections.pop(), name) for _ in range(each)] for name in _names(places)]


@asynccontextmanager
async def _connected(config: Config, count: int) -> AsyncIterator[list[Redis]]:
    """A client for each, as each would be a process of its own."""
    async with AsyncExitStack() as stack:
        clients = [Redis(port=config["redis"], single_connection_client=True) for _ in range(count)]
        yield [await stack.enter_async_context(client) for client in clients]


def _names(count: int) -> list[str]:
    return [f"bench-{uuid.uuid4().hex}" for _ in range(count)]


SEMAPHORE = Lock(tokens)
LOCK = Lock(locks, SLEEP)

"""A client whose writes of Leases are late, lose their answers, or are spoiled on purpose."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.kube import errors
from coordinator.kube.calls import call_of
from coordinator.kube.client import KubeClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from coordinator.kube.credentials import Access

    Bug = Callable[["SeasonedClient", str, dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Seasoning:
    """How many of a hundred writes fare how; delays are up to so many seconds."""

    delayed: float = 15
    delay: float = 0.3
    late: float = 1
    """Given up at once, and taking effect later all the same."""
    lost: float = 1
    """It took effect and nobody is told."""


class SeasonedClient(KubeClient):
    """What a bad network does to writes of Leases; reads are left alone.

    `bug` spoils the body of each PUT: a test plants it to see whether it can be seen.
    """

    def __init__(
        self, access: Access, rng: Random, seasoning: Seasoning, bug: Bug | None = None
    ) -> None:
        super().__init__(access, observe=self._count)
        self.codes: Counter[tuple[str, str]] = Counter()
        """How often each verb on Leases got each status."""
        self._rng = rng
        self._seasoning = seasoning
        self._bug = bug
        self._late: set[asyncio.Task[Any]] = set()

    def _count(self, verb: str, resource: str, code: str, seconds: float) -> None:
        if resource.startswith("leases"):
            self.codes[verb, code] += 1

    async def request(self, method: str, path: str, **options: Any) -> Any:
        if method == "GET" or "/leases" not in path:
            return await super().request(method, path, **options)
        fate = self._rng.uniform(0, 100)
        for share, meet in (
            (self._seasoning.delayed, self._delayed),
            (self._seasoning.late, self._given_up),
            (self._seasoning.lost, self._answer_lost),
        ):
            if fate < share:
                return await meet(method, path, options)
            fate -= share
        return await self._deliver(method, path, options)

    async def _deliver(self, method: str, path: str, options: dict[str, Any]) -> Any:
        if method == "PUT" and self._bug is not None:
            body = orjson.loads(options["body"])
            await self._bug(self, path, body)
            options = options | {"body": orjson.dumps(body)}
        return await super().request(method, path, **options)

    async def _delayed(self, method: str, path: str, options: dict[str, Any]) -> Any:
        await asyncio.sleep(self._rng.uniform(0, self._seasoning.delay))
        return await self._deliver(method, path, options)

    async def _given_up(self, method: str, path: str, options: dict[str, Any]) -> Any:
        task = asyncio.create_task(self._delayed(method, path, options))
        self._late.add(task)
        raise errors.UnknownOutcome(call_of(method, path), "no answer in time")

    async def _answer_lost(self, method: str, path: str, options: dict[str, Any]) -> Any:
        await self._deliver(method, path, options)
        raise errors.UnknownOutcome(call_of(method, path), "connection lost")

    async def all_arrived(self) -> None:
        """Every write that was given up has been answered."""
        await asyncio.gather(*self._late, return_exceptions=True)


async def without_version(client: SeasonedClient, path: str, body: dict[str, Any]) -> None:
    """The bug of a PUT that does not say which state it was made from."""
    del body["metadata"]["resourceVersion"]


async def newest_version(client: SeasonedClient, path: str, body: dict[str, Any]) -> None:
    """The bug of "read it again, then write": the version is right and the decision is old."""
    try:
        there = await KubeClient.request(client, "GET", path)
    except errors.NotFound:
        return
    for key in ("uid", "resourceVersion"):
        body["metadata"][key] = there["metadata"][key]


async def without_uid(client: SeasonedClient, path: str, body: dict[str, Any]) -> None:
    """The bug of a PUT that takes a Lease of the same name for the same Lease."""
    del body["metadata"]["uid"]

"""How much of one namespace's agents on one node may be under way at a time.

A request that waits keeps its connection, and all that it asks for in memory: 2 MB for a thousand
claims. So whoever may claim at all could ask the same again and again until the coordinator has no
memory or no connection left for others. Node and namespace, and not Pod: Pods are cheap.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from coordinator.api.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.core.access import AgentPod

REQUEST = 8
"""What a request counts as, beside one for each claim and release in it."""
MOST = 6_000
"""Five syncs of a thousand claims, or some hundred requests of one claim each; an agent has one."""


class Shares:
    """What is under way of everybody, by namespace and node."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._taken: dict[tuple[str, str], int] = {}

    @contextmanager
    def request(self, agent: AgentPod) -> Iterator[Share]:
        """The share of one request, as long as that is under way. Raises `Problem`."""
        share = Share(self, (agent.namespace, agent.node))
        try:
            share.grow(REQUEST)
            yield share
        finally:
            self.take(share.key, -share.size)

    def take(self, key: tuple[str, str], size: int) -> None:
        """So much more of it, or less. Raises `Problem` when that is too much."""
        taken = self._taken.get(key, 0) + size
        if size > 0 and taken > self._most:
            namespace, node = key
            raise Problem(
                "overloaded",
                f"too many requests and claims of namespace {namespace}'s Pods on node {node} are"
                " being answered; what is held stays held, ask again",
            )
        self._taken[key] = taken
        if not taken:
            del self._taken[key]  # or every node that ever asked would be kept


class Share:
    """One request's part."""

    def __init__(self, shares: Shares, key: tuple[str, str]) -> None:
        self.key = key
        self.size = 0
        self._shares = shares

    def grow(self, size: int) -> None:
        """So much more. Raises `Problem` when that is too much."""
        self._shares.take(self.key, size)
        self.size += size


SHARES: web.AppKey[Shares] = web.AppKey("shares", Shares)
SHARE: web.RequestKey[Share] = web.RequestKey("share", Share)
"""Not there with `--auth none`, nor for a person."""

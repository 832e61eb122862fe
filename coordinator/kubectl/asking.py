"""What the plugin asks a coordinator about one pool: whole lists, page after page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from coordinator.kubectl.connect import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from coordinator.kubectl.connect import Coordinator, Event

Json = dict[str, Any]

PAGE = "500"
"""Entries of one answer, the most that a coordinator gives."""
SETTLING = 10
"""Times that a release is asked for, a second apart, until its write is known."""


class Pool:
    """One pool, as the coordinator that was reached tells it."""

    def __init__(self, coordinator: Coordinator, namespace: str) -> None:
        self._coordinator = coordinator
        self._namespace = namespace
        self._path = f"/v1/namespaces/{_segment(namespace)}"

    async def about(self) -> Json:
        """The pool: its config, its totals, why it waits."""
        return dict(await self._coordinator.get(self._path))

    async def nodes(self, *names: str) -> list[Json]:
        """The nodes of the pool, or those of these names that it has, in one line each."""
        return await self._all("nodes", [("node", name) for name in names])

    async def node(self, name: str) -> Json | None:
        """One node in full; None where the cluster has none of that name."""
        return await self._found(f"{self._path}/nodes/{_segment(name)}")

    async def claims(self, **filters: str) -> list[Json]:
        """The claims that wait or hold: by `node`, `state`, `pod`, `load`, `claim`."""
        return await self._all("claims", list(filters.items()))

    async def claim(self, node: str, claim: str) -> Json | None:
        """One claim's state and its why; None where it is not known any more."""
        return await self._found(self._claim(node, claim))

    async def config(self) -> Json:
        """The rules in force and what each matches."""
        return dict(await self._coordinator.get(f"{self._path}/config"))

    async def preview(self, text: str) -> Json:
        """What the text of a ConfigMap would change."""
        return dict(await self._coordinator.post(f"{self._path}/preview", {"text": text}))

    async def release(self, node: str, claim: str) -> None:
        """Free what the claim has; returns once that is certain. Raises `Refused`."""
        for again in range(SETTLING):
            try:
                return await self._coordinator.delete(self._claim(node, claim))
            except Refused as refused:
                if refused.name != "settling" or again == SETTLING - 1:
                    raise
            await asyncio.sleep(1.0)
        return None

    def events(self, *nodes: str, summaries: bool) -> AsyncIterator[Event]:
        """What happens, from now on; it connects again by itself."""
        return self._coordinator.events(self._namespace, nodes=nodes, summaries=summaries)

    def _claim(self, node: str, claim: str) -> str:
        return f"{self._path}/nodes/{_segment(node)}/claims/{_segment(claim)}"

    async def _found(self, path: str) -> Json | None:
        try:
            return dict(await self._coordinator.get(path))
        except Refused as refused:
            if refused.name in {"unknown-claim", "unknown-node", "node-not-seen"}:
                return None
            raise

    async def _all(self, what: str, query: Iterable[tuple[str, str]]) -> list[Json]:
        found: list[Json] = []
        asked, after = list(query), ""
        while True:
            page = [*asked, ("limit", PAGE), *([("continue", after)] if after else [])]
            answer = await self._coordinator.get(f"{self._path}/{what}", page)
            found += answer[what]
            after = answer.get("continue") or ""
            if not after:
                return found


def _segment(text: str) -> str:
    return quote(text, safe="")

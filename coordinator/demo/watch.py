"""What the coordinator says of its nodes, asked over HTTP as anybody could."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from time import time
from typing import TYPE_CHECKING, Any, Self

from aiohttp import ClientError, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from coordinator.demo import scenario

if TYPE_CHECKING:
    from aiohttp import ClientSession

BUSY = {"held", "releasing", "unresponsive"}
ANSWER_SECONDS = 5.0


class NoAnswer(Exception):
    """The coordinator did not answer a status call."""


@dataclass(frozen=True, slots=True)
class SlotSeen:
    """One slot that is held: its place, its load, and when it was granted (since the epoch)."""

    ordinal: int
    load: str
    granted: float | None


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One node, as one answer told it."""

    name: str
    limit: int
    decided_by: str
    hold: str
    slots: tuple[SlotSeen, ...]
    queue: tuple[str, ...]
    """The loads that wait, the next one first."""

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """From the answer's JSON."""
        slots = (
            SlotSeen(slot["slot"], slot["holder"]["load"], _seconds(slot["acquired"]))
            for slot in body["slots"]
            if slot["state"] in BUSY and slot["holder"]
        )
        return cls(
            body["node"],
            body["limit"],
            body["decidedBy"],
            body["hold"],
            tuple(slots),
            tuple(waiting["load"] for waiting in body["queue"]),
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """All nodes. What it says was true at some moment between `asked` and `answered`."""

    asked: float
    answered: float
    nodes: dict[str, NodeSeen]
    refused: str = ""
    """Why the ConfigMap's newest text is not in force; "" when it is."""

    def limits(self) -> dict[str, int]:
        """The limits in force."""
        return {name: node.limit for name, node in self.nodes.items()}


@dataclass(frozen=True, slots=True)
class Counts:
    """The coordinator's own metrics: slots granted from free, and handed over directly.

    The percentiles of a hand-over inside the coordinator are in seconds: at most so many, as
    exactly as the histogram's buckets tell; None without a hand-over.
    """

    granted: int
    handed_over: int
    p50: float | None = None
    p99: float | None = None


class Watch:
    """Status calls to one coordinator."""

    def __init__(self, session: ClientSession, api: str) -> None:
        self.pool = f"{api}/v1/namespaces/{scenario.NAMESPACE}"
        self.url = f"{self.pool}/nodes"
        self._api = api
        self._session = session

    async def look(self) -> Seen:
        """Every node, now. Raises `NoAnswer`."""
        asked = time()
        pool, listed = await asyncio.gather(self._get(self.pool), self._get(self.url))
        names = [node["node"] for node in listed["nodes"]]
        found = await asyncio.gather(*(self._get(f"{self.url}/{name}") for name in names))
        nodes = {body["node"]: NodeSeen.read(body) for body in found}
        return Seen(asked, time(), nodes, pool["config"]["error"])

    async def counts(self) -> Counts:
        """How many grants there were. Raises `NoAnswer`."""
        return read_counts(await self._text(f"{self._api}/metrics"))

    async def _get(self, url: str) -> Any:
        try:
            async with self._session.get(url, timeout=ClientTimeout(ANSWER_SECONDS)) as answer:
                body = await answer.json(content_type=None)
        except (ClientError, TimeoutError, ValueError) as error:
            raise NoAnswer(f"{url}: {error or type(error).__name__}") from None
        if not answer.ok:
            raise NoAnswer(f"{url}: {answer.status}: {body.get('detail', body)}")
        return body

    async def _text(self, url: str) -> str:
        try:
            async with self._session.get(url, timeout=ClientTimeout(ANSWER_SECONDS)) as answer:
                return await answer.text()
        except (ClientError, TimeoutError) as error:
            raise NoAnswer(f"{url}: {error or type(error).__name__}") from None


def read_counts(metrics: str) -> Counts:
    """From the text of /metrics."""
    kinds = {"grant": 0, "handover": 0}
    buckets: list[tuple[float, float]] = []
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == "nodeslots_grants_total":
                kinds[sample.labels["kind"]] += int(sample.value)
            elif sample.name == "nodeslots_handover_seconds_bucket":
                buckets.append((float(sample.labels["le"]), sample.value))
    return Counts(kinds["grant"], kinds["handover"], _at_most(buckets, 50), _at_most(buckets, 99))


def _at_most(buckets: list[tuple[float, float]], percent: float) -> float | None:
    """The upper edge of the bucket in which the percentile lies."""
    total = max((count for _, count in buckets), default=0)
    if not total:
        return None
    return min(edge for edge, count in buckets if count >= total * percent / 100)


def _seconds(rfc3339: str) -> float | None:
    return datetime.fromisoformat(rfc3339).timestamp() if rfc3339 else None

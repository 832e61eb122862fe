"""Kubernetes Events: what `kubectl describe` shows an operator. Bounded, and never in the way.

The same news about the same object counts up in one Event, and a burst is cut: an Event is a
courtesy, so it must not cost the API server what a grant needs.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import orjson

from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.kube.client import MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from random import Random

    from coordinator.kube.client import KubeClient

COMPONENT = "node-slots"
BURST, REFILL = 20, 5.0
"""So many Events at once; after that one every so many seconds."""

_REMEMBERED = 256
_MAX_MESSAGE, _MAX_NAME = 1024, 253


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """What an Event is about. An object without a namespace is told of in `default`."""

    kind: str
    name: str
    namespace: str = ""
    uid: str = ""
    api_version: str = "v1"

    @property
    def event_namespace(self) -> str:
        """Where the Event lives."""
        return self.namespace or "default"


@dataclass(slots=True)
class _Told:
    """An Event that exists, and how often its news came."""

    event: str
    count: int
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


Kind = Literal["Normal", "Warning"]
"""The types of Events that Kubernetes knows."""

_News = tuple[ObjectRef, str, str]


class EventRecorder:
    """Writes Events. `now` gives the time as RFC 3339 with whole seconds, `clock` any monotonic
    time; `failed` is told of what could not be written. Bursts of the reasons in `paced` are not
    cut: whoever tells those sees to it that they are few.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        instance: str,
        now: Callable[[], str],
        clock: Callable[[], float],
        rng: Random,
        failed: Callable[[errors.ApiError], None],
        paced: Collection[str] = (),
    ) -> None:
        self._client = client
        self._instance = instance
        self._now = now
        self._clock = clock
        self._rng = rng
        self._failed = failed
        self._paced = paced
        self._told: OrderedDict[_News, _Told] = OrderedDict()
        self._tokens = float(BURST)
        self._refilled = clock()

    async def tell(
        self, about: ObjectRef, reason: str, message: str, kind: Kind = "Warning"
    ) -> None:
        """Write one. `reason` is one CamelCase word. Raises nothing of the API server's."""
        news = (about, reason, message[:_MAX_MESSAGE])
        told = self._remember(news)
        if reason not in self._paced and not self._admit():
            return
        try:
            async with told.turn:  # the same news again may come before it was written
                if told.event and await self._count_up(news, told):
                    return
                told.event = await self._create(kind, news, told.count)
        except errors.ApiError as error:
            self._failed(error)

    def _remember(self, news: _News) -> _Told:
        """News that was cut is counted, and told with the next of its kind."""
        told = self._told.setdefault(news, _Told("", 0))
        told.count += 1
        self._told.move_to_end(news)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return told

    def _admit(self) -> bool:
        now = self._clock()
        self._tokens = min(BURST, self._tokens + (now - self._refilled) / REFILL)
        self._refilled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    async def _count_up(self, news: _News, told: _Told) -> bool:
        """False where the Event is gone: the API server keeps them for an hour."""
        path = resource_path("events", news[0].event_namespace, told.event)
        change = orjson.dumps({"count": told.count, "lastTimestamp": self._now()})
        try:
            await self._client.request("PATCH", path, body=change, content_type=MERGE_PATCH)
        except errors.NotFound:
            told.count = 1
            return False
        return True

    async def _create(self, kind: Kind, news: _News, count: int) -> str:
        """The new Event's name."""
        about, reason, message = news
        suffix = f".{self._rng.getrandbits(64):016x}"
        name = about.name[: _MAX_NAME - len(suffix)].rstrip(".-") + suffix
        now = self._now()
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": about.event_namespace},
            "involvedObject": _reference(about),
            "type": kind,
            "reason": reason,
            "message": message,
            "count": count,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": COMPONENT, "host": self._instance},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }
        path = resource_path("events", about.event_namespace)
        await self._client.request("POST", path, body=orjson.dumps(body))
        return name


def _reference(about: ObjectRef) -> dict[str, str]:
    fields = {
        "apiVersion": about.api_version,
        "kind": about.kind,
        "name": about.name,
        "namespace": about.namespace,
        "uid": about.uid,
    }
    return {key: value for key, value in fields.items() if value}

"""Look once, or again and again until told to stop: the part that does the asking."""

from __future__ import annotations

import asyncio
import time
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from coordinator.core.limits import DEFAULT_RULES, ConfigRefused
from coordinator.kube import errors
from coordinator.kube.backoff import Backoff
from coordinator.observe.judging import Judge, given
from coordinator.observe.picture import picture
from coordinator.velero.reading import Reader, read

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from coordinator.kube.client import KubeClient
    from coordinator.observe.output import Output
    from coordinator.observe.recorder import Recorder

T = TypeVar("T")

SHARE = 10
"""A look is followed by a pause of so many times as long as it took, at least: reading thousands
of custom resources again and again would be a load of its own."""


class Session:
    """Looks at one namespace; what is seen goes to the output and to the recorder, if there is one.

    `limits` is the name of a ConfigMap to judge by in place of the node-agents' own; `judge` is a
    judge by a file.
    """

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        output: Output,
        *,
        judge: Judge | None = None,
        limits: str = "",
        recorder: Recorder | None = None,
    ) -> None:
        self._client, self._namespace, self._output = client, namespace, output
        self._judge, self._limits, self._recorder = judge, limits, recorder
        self._backoff = Backoff(Random())  # noqa: S311 - jitter, no secret
        self._away = False

    async def look(self) -> None:
        """One look. Raises `ApiError` where nothing is to be seen, OSError for a full disk."""
        world = await read(self._client, self._namespace, time.time())
        judge = await self._by_config_map() if self._limits else self._judge
        if self._recorder is not None:
            self._recorder.take(world)
        self._output.show(picture(world, judge))

    async def follow(self, every: float, stop: asyncio.Event) -> None:
        """Look every so many seconds until `stop`; an API server that is away is waited for."""
        while not stop.is_set():
            begun = time.monotonic()
            pause = await _unless(stop, self._try())
            if pause is None:
                took = time.monotonic() - begun
                pause = max(every - took, took * SHARE)
            await _unless(stop, asyncio.sleep(pause))

    async def _try(self) -> float | None:
        """None, or how long to wait since nothing could be seen."""
        try:
            await self.look()
        except errors.ApiError as error:
            pause = self._backoff.next(error.retry_after)
            if not self._away:
                self._output.tell(time.time(), f"nothing is seen: {error}; looking on")
            self._away = True
            return pause
        if self._away:
            self._output.tell(time.time(), "the API server answers again")
        self._away = False
        self._backoff.reset()
        return None

    async def _by_config_map(self) -> Judge:
        reader = Reader(self._client, self._namespace)
        name = f"ConfigMap {self._limits}"
        found = await reader.config_map(self._limits)
        if found is None or found.data is None:
            why = reader.unread[0] if reader.unread else f"{name} is not there"
            return _without(f"{why}; limits of 1 are shown", name)
        try:
            return given(found.data, name)
        except ConfigRefused as refused:
            return _without(f"{name} is refused: {refused}; limits of 1 are shown", name)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of the work; None once it is time to stop, however far it is."""
    task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stopping.cancel()
        await asyncio.gather(task, stopping, return_exceptions=True)


def _without(finding: str, source: str) -> Judge:
    return Judge(source, DEFAULT_RULES, DEFAULT_RULES, (finding,))

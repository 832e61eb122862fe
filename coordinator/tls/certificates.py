"""The certificate that the API serves, kept fresh while the coordinator runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, Self

from coordinator.kube.backoff import Backoff
from coordinator.tls import contexts
from coordinator.tls.contexts import Unusable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from random import Random

    from coordinator.tls.contexts import Material
    from coordinator.tls.reports import Reports

    Sleep = Callable[[float], Awaitable[object]]
    Work = Callable[[], Coroutine[object, object, None]]


class Trouble(Exception):
    """No certificate can be had now; the text says why and what to do about it."""

    def __init__(self, why: str, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class Source(Protocol):
    """Where certificates come from."""

    interval: float
    """Seconds between two looks while all is well."""

    async def read(self) -> Material:
        """What is to be served now. Raises `Trouble`."""


class Certificates:
    """What is served now, and what other replicas are asked with. `async with` keeps it fresh.

    What was served goes on being served whatever happens to its source. `beside` runs as long. A
    fault of the code cancels whoever entered, as in a TaskGroup.
    """

    def __init__(
        self,
        source: Source,
        server_name: str,
        reports: Reports,
        *,
        rng: Random,
        sleep: Sleep = asyncio.sleep,
        beside: Sequence[Work] = (),
    ) -> None:
        self.server_name = server_name
        self._source = source
        self._reports = reports
        self._sleep = sleep
        self._backoff = Backoff(rng)
        self._works = (self._run, *beside)
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []
        self._material: Material | None = None
        self._contexts: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
        self._usable = asyncio.Event()
        self._why = "the certificate has not been read yet"

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._tasks = [self._group.create_task(work()) for work in self._works]
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)

    async def ready(self) -> None:
        """Returns when there is a certificate to serve; until then `trouble` says why not."""
        await self._usable.wait()

    @property
    def server(self) -> ssl.SSLContext:
        """For the next connection to the API. Raises RuntimeError before `ready`."""
        return self._both[0]

    @property
    def client(self) -> ssl.SSLContext:
        """For the next connection to another replica. Raises RuntimeError before `ready`."""
        return self._both[1]

    @property
    def _both(self) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        if self._contexts is None:
            raise RuntimeError("there is no certificate: wait for `ready`")
        return self._contexts

    @property
    def trouble(self) -> str:
        """Why nothing can be served yet; "" once it can."""
        return "" if self._contexts else self._why

    async def _run(self) -> None:
        while True:
            await self._sleep(await self._look())

    async def _look(self) -> float:
        """Takes in what the source has. Returns the seconds until the next look."""
        try:
            self._take(await self._source.read())
        except (Trouble, Unusable) as error:
            self._why = str(error)
            delay = self._backoff.next(getattr(error, "retry_after", None))
            self._reports.trouble(self._why, delay)
            return delay
        self._backoff.reset()
        self._reports.well()
        return self._source.interval

    def _take(self, material: Material) -> None:
        if material == self._material:
            return
        self._contexts = contexts.serving(material), contexts.asking(material)
        self._material = material
        self._usable.set()
        self._reports.serves(material)

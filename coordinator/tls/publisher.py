"""The authority's certificate, published wherever somebody looks for it: see `Place`.

The objects exist already. They are written without being read, so that one verb on their name is
the only right: what is there already changes nothing in the API server's store.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from coordinator.kube import errors
from coordinator.kube.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from coordinator.kube.client import KubeClient
    from coordinator.tls.reports import Reports

TICK = 0.5
"""Seconds between looks at whether something is to be published; a look asks nobody."""


class Place(Protocol):
    """One object that the bundle is written into; as text, its kind and name."""

    @property
    def namespace(self) -> str:
        """Where failures are counted."""

    @property
    def again(self) -> float:
        """Seconds until a good one is written again: a hand may have emptied it."""

    def advice(self, error: errors.Refused) -> str:
        """What to do about this refusal; "" where it says so itself."""

    async def write(self, client: KubeClient, bundle: bytes) -> None:
        """Write it, in PEM. Raises `ApiError`."""


class Publisher:
    """Writes the bundle into every place while this replica leads."""

    def __init__(
        self,
        client: KubeClient,
        places: Sequence[Place],
        reports: Reports,
        *,
        leading: Callable[[], bool],
        clock: Callable[[], float],
        rng: Random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._reports = reports
        self._leading = leading
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(rng)
        self._refusals = {place: Backoff(rng) for place in places}
        self._bundle = b""
        self._has: dict[Place, bytes] = {}
        """What each place got last, in this time of leading."""
        self._due = dict.fromkeys(places, 0.0)

    def offer(self, bundle: bytes) -> None:
        """This is to be believed from now on."""
        if bundle != self._bundle:
            self._bundle = bundle
            self._all_due()

    def has(self, bundle: bytes) -> bool:
        """Whether every place is known to have it."""
        return all(self._has.get(place) == bundle for place in self._due)

    async def run(self) -> None:
        """Publish whatever is due, for ever."""
        while True:
            await self._sleep(await self.look())

    async def look(self) -> float:
        """Publish what is due. Returns the seconds until the next look."""
        if not self._leading():
            self._has.clear()
            self._all_due()
            return TICK
        due = [place for place, at in self._due.items() if at <= self._clock()]
        for place in due if self._bundle else ():
            try:
                await self._publish(place)
            except errors.Refused as error:
                self._refused(place, error)
            except errors.ApiError as error:  # the API server is away: the others wait, too
                delay = self._backoff.next(error.retry_after)
                self._reports.unpublished(place, str(error), delay)
                return delay
        self._backoff.reset()
        return TICK

    async def _publish(self, place: Place) -> None:
        bundle = self._bundle
        await place.write(self._client, bundle)
        if self._has.get(place) != bundle:
            self._reports.published(place)
        self._has[place] = bundle
        self._refusals[place].reset()
        if bundle == self._bundle:  # or another one was offered meanwhile, and is due
            self._due[place] = self._clock() + place.again

    def _refused(self, place: Place, error: errors.Refused) -> None:
        """An object or a right is missing there; the others go on."""
        why = ": ".join(filter(None, (str(error), place.advice(error))))
        delay = self._refusals[place].next(error.retry_after)
        self._has.pop(place, None)
        self._due[place] = self._clock() + delay
        self._reports.unpublished(place, why, delay)

    def _all_due(self) -> None:
        self._due = dict.fromkeys(self._due, 0.0)

"""The authority's certificate in a ConfigMap of each namespace, for agents to mount.

The ConfigMaps exist already, empty. They are written without being read, so that `update` on their
name is the only right: a text that is there already changes nothing in the API server's store.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from coordinator.kube import errors
from coordinator.kube.backoff import Backoff
from coordinator.kube.calls import resource_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from coordinator.kube.client import KubeClient
    from coordinator.tls.reports import Reports

KEY = "ca.crt"
LABELS = {"app.kubernetes.io/name": "node-slots"}
"""Those that the manifests give it: a write takes the others away."""
TICK = 0.5
"""Seconds between looks at whether something is to be published; a look asks nobody."""
AGAIN = 3600.0
"""Seconds until a good one is written again: a hand may have emptied it."""


class Publisher:
    """Writes the bundle into `config_map` of each namespace while this replica leads."""

    def __init__(
        self,
        client: KubeClient,
        config_map: str,
        namespaces: Sequence[str],
        reports: Reports,
        *,
        leading: Callable[[], bool],
        clock: Callable[[], float],
        rng: Random,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._config_map = config_map
        self._reports = reports
        self._leading = leading
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(rng)
        self._refusals = {namespace: Backoff(rng) for namespace in namespaces}
        self._bundle = b""
        self._has: dict[str, bytes] = {}
        """What each namespace's ConfigMap got last, in this time of leading."""
        self._due = dict.fromkeys(namespaces, 0.0)

    def offer(self, bundle: bytes) -> None:
        """Agents are to believe this from now on."""
        if bundle != self._bundle:
            self._bundle = bundle
            self._all_due()

    def has(self, bundle: bytes) -> bool:
        """Whether every namespace is known to have it."""
        return all(self._has.get(namespace) == bundle for namespace in self._due)

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
        due = [name for name, at in self._due.items() if at <= self._clock()]
        for namespace in due if self._bundle else ():
            try:
                await self._publish(namespace)
            except errors.Refused as error:
                self._refused(namespace, error)
            except errors.ApiError as error:  # the API server is away: the others wait, too
                delay = self._backoff.next(error.retry_after)
                self._reports.unpublished(namespace, str(error), delay)
                return delay
        self._backoff.reset()
        return TICK

    async def _publish(self, namespace: str) -> None:
        path = resource_path("configmaps", namespace, self._config_map)
        bundle = self._bundle
        head = {"name": self._config_map, "namespace": namespace, "labels": LABELS}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": head}
        body["data"] = {KEY: bundle.decode("ascii")}
        await self._client.request("PUT", path, body=orjson.dumps(body))
        if self._has.get(namespace) != bundle:
            self._reports.published(namespace, self._config_map)
        self._has[namespace] = bundle
        self._refusals[namespace].reset()
        self._due[namespace] = self._clock() + AGAIN

    def _refused(self, namespace: str, error: errors.Refused) -> None:
        """A ConfigMap or a right is missing there; the others go on."""
        hint = f": create the ConfigMap {self._config_map} there, empty"
        why = f"{error}{hint}" if isinstance(error, errors.NotFound) else str(error)
        delay = self._refusals[namespace].next(error.retry_after)
        self._has.pop(namespace, None)
        self._due[namespace] = self._clock() + delay
        self._reports.unpublished(namespace, why, delay)

    def _all_due(self) -> None:
        self._due = dict.fromkeys(self._due, 0.0)

"""Certificates that the replicas make themselves and keep in one Secret.

The Secret exists already, empty: `get` and `update` on its name are all the rights this needs.
`get`, because two replicas that start at once must agree: each writes only over what it has read
(resourceVersion), and whoever comes second reads again.
"""

from __future__ import annotations

import base64
from binascii import Error as NotBase64
from typing import TYPE_CHECKING

import orjson

from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.tls.certificates import Trouble
from coordinator.tls.contexts import Material
from coordinator.tls.making import pem
from coordinator.tls.plan import carry_out, plan
from coordinator.tls.stored import OURS, Stored, read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from coordinator.kube.answers import Json
    from coordinator.kube.client import KubeClient
    from coordinator.tls.plan import Plan
    from coordinator.tls.publisher import Publisher
    from coordinator.tls.reports import Reports

ATTEMPTS = 3
"""Writes in a row that may meet another replica's; after that a pause is due."""


class SecretSource:
    """What the Secret holds, made where it is missing and renewed while this replica leads."""

    interval = 60.0
    """Seconds. A renewal has a month to get around; this bounds the time after a Secret was emptied
    by hand, in which the replicas do not believe each other."""

    def __init__(
        self,
        client: KubeClient,
        namespace: str,
        name: str,
        names: Sequence[str],
        publisher: Publisher,
        reports: Reports,
        *,
        leading: Callable[[], bool],
        wall: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._path = resource_path("secrets", namespace, name)
        self._shown = f"{namespace}/{name}"
        self._names = names
        self._publisher = publisher
        self._reports = reports
        self._leading = leading
        self._wall = wall

    async def read(self) -> Material:
        """The certificate to serve. Raises `Trouble`."""
        try:
            stored = await self._settled()
        except errors.ApiError as error:
            raise Trouble(self._told(error), error.retry_after) from None
        if stored.serving is None:
            raise Trouble(f"the Secret {self._shown} holds no certificate")
        self._publisher.offer(stored.bundle)
        chain = pem(stored.serving.certificate)
        return Material(chain, stored.serving.key_pem, stored.bundle)

    def _told(self, error: errors.ApiError) -> str:
        if not isinstance(error, errors.NotFound):
            return str(error)
        return (
            f"the Secret {self._shown} does not exist: create it, empty"
            " (`kubectl create secret generic`); the certificates are made in it"
        )

    async def _settled(self) -> Stored:
        """What is stored once all that is due, and ours to do, is done. Raises `ApiError`."""
        for _ in range(ATTEMPTS):
            secret = await self._client.request("GET", self._path)
            stored = self._understood(secret)
            now, done = self._wall(), self._publisher.has(stored.bundle)
            wanted = plan(stored, self._names, now, published=done)
            if not wanted or not (wanted.urgent or self._leading()):
                return stored
            try:
                return await self._write(secret, stored, wanted, now)
            except errors.Conflict:
                continue
            except errors.ApiError as error:
                if wanted.urgent:
                    raise
                self._reports.unwritten(self._shown, wanted.why, str(error))
                return stored
        raise Trouble(f"the Secret {self._shown} is being written by somebody else")

    def _understood(self, secret: Json) -> Stored:
        try:
            stored = read(decoded(secret))
        except NotBase64:
            stored = Stored(foreign="it is not base64")
        if stored.foreign:
            raise Trouble(
                f"the Secret {self._shown} holds what node-slots did not make ({stored.foreign});"
                " it is left alone: to use certificates of your own give --tls mounted, to have"
                " them made here remove the Secret's data"
            )
        return stored

    async def _write(self, secret: Json, stored: Stored, wanted: Plan, now: datetime) -> Stored:
        made = carry_out(wanted, stored, self._names, now)
        body = orjson.dumps(encoded(secret, made.data()))
        await self._client.request("PUT", self._path, body=body)
        self._reports.made(self._shown, (*stored.faults, *wanted.why))
        return made


def decoded(secret: Json) -> dict[str, bytes]:
    """The Secret's values. Raises binascii.Error."""
    data = secret.get("data") or {}
    return {name: base64.b64decode(text, validate=True) for name, text in data.items()}


def encoded(secret: Json, data: dict[str, bytes]) -> Json:
    """The same Secret with these values in place of ours; other keys stay as they are."""
    others = {name: text for name, text in (secret.get("data") or {}).items() if name not in OURS}
    ours = {name: base64.b64encode(value).decode() for name, value in data.items()}
    return {**secret, "data": others | ours}

"""Whom to believe that it is the coordinator."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from coordinator.kube.calls import resource_path
from coordinator.kube.errors import ApiError
from coordinator.kubectl.connect.errors import Unreachable, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.kube.client import KubeClient

KEY = "ca.crt"


class Trust:
    """The authority of the coordinator's certificate, read anew for each connection: it is
    replaced now and then, and `dashboard` runs for days.

    It is that of `ca_file`, else the one published in the ConfigMap in the first of `namespaces`
    that has it, else those that the system knows.
    """

    def __init__(
        self, kube: KubeClient, namespaces: Sequence[str], config_map: str, ca_file: str = ""
    ) -> None:
        self._kube = kube
        self._places = list(dict.fromkeys(namespaces))
        self._name = config_map
        self._file = ca_file
        self.source = ""
        """What the last context believed, for an error's text."""

    async def context(self) -> ssl.SSLContext:
        """A context that verifies certificate and name. Raises `Unreachable`."""
        published = "" if self._file else await self._published()
        try:
            context = ssl.create_default_context(
                cafile=self._file or None, cadata=published or None
            )
        except (OSError, ValueError) as error:
            source = self._file or self.source
            raise Unreachable(f"no certificate can be read from {source}: {error}") from None
        if self._file:
            self.source = f"--ca-file {self._file}"
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    async def _published(self) -> str:
        whys = []
        for namespace in self._places:
            try:
                text = await self._read(namespace)
            except ApiError as error:
                whys.append(told(error))
                continue
            if text:
                self.source = f"ConfigMap {self._name} in namespace {namespace}"
                return text
            whys.append(f"ConfigMap {self._name} in namespace {namespace} is empty")
        self.source = f"the system's authorities, since {'; '.join(whys)}. --ca-file names others"
        return ""

    async def _read(self, namespace: str) -> str:
        path = resource_path("configmaps", namespace, self._name)
        data: Any = (await self._kube.request("GET", path)).get("data")
        return str(data.get(KEY) or "") if isinstance(data, dict) else ""

"""From a request to one of the coordinator's Pods: a tunnel, and verified TLS inside of it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from coordinator.kubectl.connect.errors import Unreachable, brief
from coordinator.kubectl.connect.pods import targets

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace

    from coordinator.kube.client import KubeClient
    from coordinator.kubectl.connect.forward import Forwarder, Tunnel
    from coordinator.kubectl.connect.pods import Target
    from coordinator.kubectl.connect.trust import Trust

ATTEMPT, SHARE = 5.0, 0.4
"""Seconds for one Pod, and of the whole time at most this part: one that swallows everything must
leave time for the next."""


@dataclass(frozen=True, slots=True)
class Way:
    """How one of the Service's Pods is reached."""

    kube: KubeClient
    forwarder: Forwarder
    trust: Trust
    namespace: str
    service: str
    timeout: float

    @property
    def server_name(self) -> str:
        """The name that the certificate has to be for."""
        return f"{self.service}.{self.namespace}.svc"


class ThroughTunnels(aiohttp.BaseConnector):
    """A connector whose every connection is a tunnel of its own; kept ones are used again.

    aiohttp takes connectors of one's own by this one method, as its `UnixConnector` has it.
    """

    allowed_protocol_schema_set = frozenset({"https"})

    def __init__(self, way: Way) -> None:
        super().__init__(limit=0, keepalive_timeout=30.0)
        self._way = way

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        """One to the first Pod that can be spoken with. Raises `Unreachable`."""
        way = self._way
        context = await way.trust.context()
        tried: list[str] = []
        for target in await targets(way.kube, way.namespace, way.service, way.timeout):
            try:
                return await self._reach(target, context)
            except Unreachable as error:
                tried.append(f"{target}: {error}")
        raise Unreachable(f"no Pod of Service {way.service} answers: {'; '.join(tried)}")

    async def _reach(self, target: Target, context: ssl.SSLContext) -> ResponseHandler:
        patience = min(ATTEMPT, SHARE * self._way.timeout)
        tunnel: Tunnel | None = None
        try:
            async with asyncio.timeout(patience):
                tunnel = await self._way.forwarder.open(target)
                return await tunnel.secure(self._factory, context, self._way.server_name)
        except TimeoutError:
            why = f"no answer within {patience:g} s"
        except ssl.SSLCertVerificationError as error:
            why = _distrust(error, self._way)
        except (OSError, aiohttp.ClientError) as error:
            why = brief(error)
        if tunnel is not None:
            await tunnel.close()
            why = tunnel.said or why
        raise Unreachable(why)


def _distrust(error: ssl.SSLCertVerificationError, way: Way) -> str:
    return (
        f"its certificate is not accepted ({error.verify_message}); it has to be for"
        f" {way.server_name} and of the authority in {way.trust.source}"
    )

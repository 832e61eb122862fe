"""The lease store: one request per operation, typed errors, no repetition (the caller decides)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.kube import errors
from coordinator.kube.answers import lost
from coordinator.kube.calls import Call, resource_path
from coordinator.kube.records import parse, render_create, render_delete

if TYPE_CHECKING:
    from coordinator.core.model import Lease
    from coordinator.kube.client import KubeClient

API = "apis/coordination.k8s.io/v1"
_RESOURCE = "leases.coordination.k8s.io"


def leases_path(namespace: str, name: str = "") -> str:
    """The path of a namespace's Leases, for a reflector, or of one."""
    return resource_path("leases", namespace, name, api=API)


class LeaseStore:
    """Reads and conditional writes of Leases. Each ends within `timeout` seconds.

    Bodies come from `coordinator.kube.records`. A write raises `Conflict`, `AlreadyExists`,
    `NotFound` or another refusal, `Throttled` and `NotSent` where it had no effect, and
    `UnknownOutcome` where nobody can tell.
    """

    def __init__(self, client: KubeClient, *, timeout: float = 10.0) -> None:
        self._client = client
        self._timeout = timeout

    async def read(self, namespace: str, name: str) -> Lease | None:
        """The Lease as etcd's quorum has it, None if there is none."""
        try:
            return await self._send("GET", Call("get", _RESOURCE, namespace, name))
        except errors.NotFound:
            return None

    async def create(self, namespace: str, node: str, name: str) -> Lease:
        """Makes an empty Lease. `AlreadyExists` may be the success of an earlier attempt."""
        body = render_create(node, name)
        return await self._send("POST", Call("create", _RESOURCE, namespace), body)

    async def replace(self, namespace: str, name: str, body: bytes) -> Lease:
        """Writes a rendered body, if the Lease is still the one that it was rendered from.

        `Conflict` may be the success of an earlier attempt: read it back.
        """
        return await self._send("PUT", Call("update", _RESOURCE, namespace, name), body)

    async def delete(self, namespace: str, lease: Lease) -> None:
        """Removes the Lease, if it is still this one. `NotFound`: there is none any more."""
        await self._client.request(
            "DELETE",
            leases_path(namespace, lease.name),
            body=render_delete(lease),
            timeout=self._timeout,
        )

    async def _send(self, method: str, call: Call, body: bytes | None = None) -> Lease:
        path = leases_path(call.namespace, call.name)
        answer = await self._client.request(
            method, path, body=body, timeout=self._timeout, call=call
        )
        if answer.get("kind") != "Lease":  # something in between answered, not the API server
            raise lost(call, f"the answer is no Lease but {answer.get('kind')!r}")
        return parse(answer)

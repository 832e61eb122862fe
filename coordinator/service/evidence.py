"""What a GET of a claim's Pod shows (design section 7). Absence alone proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coordinator.core.model import Verdict
from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.service.ends import ended

if TYPE_CHECKING:
    from coordinator.core.model import PodRef
    from coordinator.kube.client import KubeClient


@dataclass(frozen=True, slots=True)
class Sight:
    """The verdict, and whether the GET found this very Pod."""

    verdict: Verdict
    found: bool


async def examine(client: KubeClient, pod: PodRef, node: str, *, silent: bool) -> Sight:
    """What there is to see of the Pod of a claim on `node`. Raises `ApiError` if that is not known.

    Only a `silent` claim's fate hangs on the Pod's node, so only then is that one asked for.
    """
    there = await read_pod(client, pod)
    if there is not None and ended(there):
        return Sight(Verdict.FINISHED, found=True)
    found = there is not None
    if not silent:
        return Sight(Verdict.UNJUDGED, found)
    runs_on = there["spec"].get("nodeName") if there is not None else ""
    if not await _node_ready(client, runs_on or node):
        return Sight(Verdict.UNREACHABLE, found)
    return Sight(Verdict.RUNNING if found else Verdict.ABSENT, found)


async def read_pod(client: KubeClient, pod: PodRef) -> dict[str, Any] | None:
    """This very Pod; None where it is gone or another one has its name. Raises `ApiError`."""
    there = await _get(client, resource_path("pods", pod.namespace, pod.name))
    another = there is not None and pod.uid and there["metadata"]["uid"] != pod.uid
    return None if another else there


async def _get(client: KubeClient, path: str) -> dict[str, Any] | None:
    try:
        return await client.request("GET", path)
    except errors.NotFound:
        return None


async def _node_ready(client: KubeClient, node: str) -> bool:
    found = await _get(client, resource_path("nodes", name=node))
    conditions = ((found or {}).get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)

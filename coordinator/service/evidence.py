"""What a GET of a silent claim's Pod shows (design section 7). Absence alone proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.messages import Verdict
from coordinator.kube import errors
from coordinator.kube.calls import resource_path

if TYPE_CHECKING:
    from coordinator.core.model import PodRef
    from coordinator.kube.client import KubeClient


async def examine(client: KubeClient, pod: PodRef, node: str) -> Verdict:
    """The verdict about the Pod. Raises `ApiError` when it cannot be had."""
    found = await _get(client, resource_path("pods", pod.namespace, pod.name))
    if found is not None and (not pod.uid or found["metadata"]["uid"] == pod.uid):
        if _finished(found):
            return Verdict.FINISHED
        return Verdict.RUNNING if await _node_ready(client, node) else Verdict.UNREACHABLE
    return Verdict.ABSENT if await _node_ready(client, node) else Verdict.UNREACHABLE


async def _get(client: KubeClient, path: str) -> dict[str, Any] | None:
    try:
        return await client.request("GET", path)
    except errors.NotFound:
        return None


def _finished(pod: dict[str, Any]) -> bool:
    """Whether it ended for good: its phase says so, or all of its own containers have.

    Sidecars are init containers (KEP-753), so they are not among `containerStatuses`.
    """
    status = pod.get("status") or {}
    if status.get("phase") in {"Succeeded", "Failed"}:
        return True
    states = [c.get("state") or {} for c in status.get("containerStatuses") or ()]
    stays = pod["spec"].get("restartPolicy") == "Never"
    own = len(pod["spec"].get("containers") or ())
    return stays and 0 < own == len(states) and all("terminated" in state for state in states)


async def _node_ready(client: KubeClient, node: str) -> bool:
    found = await _get(client, resource_path("nodes", name=node))
    conditions = ((found or {}).get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)

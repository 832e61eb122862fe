"""Which Pods serve the coordinator's API: those of its Service, as `kubectl port-forward` finds
them, and with the same rights.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from coordinator.kube.calls import resource_path
from coordinator.kube.errors import ApiError, NotFound
from coordinator.kubectl.connect.errors import Unreachable, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coordinator.kube.answers import Json
    from coordinator.kube.client import KubeClient

PORT = "https"
"""The name of the API's port in the Service."""


@dataclass(frozen=True, slots=True)
class Target:
    """One Pod's port."""

    namespace: str
    pod: str
    port: int
    ready: bool

    def __str__(self) -> str:
        return f"Pod {self.pod}" + ("" if self.ready else " (not ready)")


async def targets(kube: KubeClient, namespace: str, service: str, timeout: float) -> list[Target]:
    """Where to try, in order: ready Pods first, then those that run at least. Never empty.

    Raises `Unreachable`.
    """
    try:
        async with asyncio.timeout(timeout):
            found = await kube.request("GET", resource_path("services", namespace, service))
            spec = found.get("spec") or {}
            chosen = {"labelSelector": _selector(namespace, service, spec)}
            pods = resource_path("pods", namespace)
            listed = await kube.request("GET", pods, params=chosen)
    except NotFound:
        raise Unreachable(
            f"there is no Service {service} in namespace {namespace}: is the coordinator installed"
            " there? -n names the pool's namespace, --coordinator-namespace and --service say where"
            " the coordinator is"
        ) from None
    except ApiError as error:
        raise Unreachable(f"could not look for the coordinator's Pods: {told(error)}") from None
    except TimeoutError:
        raise Unreachable(f"the API server did not answer within {timeout:g} s") from None
    if not (made := choose(spec, listed.get("items") or [])):
        raise Unreachable(
            f"no Pod of Service {service} in namespace {namespace} runs; look at"
            f" `kubectl -n {namespace} get pods`"
        )
    return made


def choose(spec: Mapping[str, Any], pods: Iterable[Json]) -> list[Target]:
    """The Pods to try for a Service of this spec, the ready ones first, then by name."""
    found = [target for pod in pods if (target := _target(spec, pod)) is not None]
    return sorted(found, key=lambda target: (not target.ready, target.pod))


def _selector(namespace: str, service: str, spec: Mapping[str, Any]) -> str:
    if not (labels := spec.get("selector") or {}):
        raise Unreachable(f"the Service {service} in namespace {namespace} selects no Pods")
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _target(spec: Mapping[str, Any], pod: Json) -> Target | None:
    head, status = pod["metadata"], pod.get("status") or {}
    port = _port(spec, pod)
    if port is None or head.get("deletionTimestamp") or status.get("phase") != "Running":
        return None
    conditions = status.get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return Target(head["namespace"], head["name"], port, ready)


def _port(spec: Mapping[str, Any], pod: Json) -> int | None:
    """The container's port behind the Service's; a name is looked up in the Pod."""
    ports = spec.get("ports") or ()
    chosen = next((one for one in ports if one.get("name") == PORT), next(iter(ports), None))
    if chosen is None:
        return None
    wanted = chosen.get("targetPort") or chosen.get("port")
    if isinstance(wanted, int):
        return wanted
    containers = pod["spec"].get("containers") or ()
    named = (port for one in containers for port in one.get("ports") or ())
    return next((port["containerPort"] for port in named if port.get("name") == wanted), None)


def forward_path(target: Target) -> str:
    """The path and query of its port-forward at the API server."""
    path = resource_path("pods", target.namespace, target.pod)
    return f"{path}/portforward?ports={quote(str(target.port))}"

"""What `velero check` reads beside `reading.read`: get and list only, and discovery.

What may not be read becomes a sentence; what is not there is None.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.kube.lists import TIMEOUT
from coordinator.velero.check_model import Coordinator, Injected, Own, Schedule, Served, Way
from coordinator.velero.flags import duration, flags
from coordinator.velero.reading import Reader

if TYPE_CHECKING:
    from coordinator.kube.client import KubeClient

Json = dict[str, Any]

ADMISSION = "apis/admissionregistration.k8s.io"
_POLICIES = "mutatingadmissionpolicies"
_NAMESPACE = "kubernetes.io/metadata.name"
_BINDINGS = "mutatingadmissionpolicybindings"
_WEBHOOKS = "mutatingwebhookconfigurations"
_KYVERNO, _KYVERNO_API = "mutatingpolicies", "apis/policies.kyverno.io/v1"


async def read_own(client: KubeClient, namespace: str, name: str, config_map: str) -> Own:
    """Our own side as it is now. `config_map` "" takes the one that the coordinator names.

    Raises `ApiError` where the API server does not answer or does not know the caller.
    """
    look = _Look(client, namespace)
    served = await _served(look)
    coordinator, injected, schedules = await asyncio.gather(
        _coordinator(look, name), _injected(look, f"{name}-movers", served), _schedules(look)
    )
    named = coordinator.flags.get("node-agent-configmap", "") if coordinator else ""
    chosen = config_map or named or name
    limits = await look.reader.config_map(chosen)
    unread = tuple(sorted({*look.unread, *look.reader.unread}))
    return Own(name, chosen, limits, served, injected, coordinator, schedules, unread)


class _Look:
    """Single objects, and what of them could not be read."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self.namespace = namespace
        self.reader = Reader(client, namespace)
        self.unread: list[str] = []

    async def at(self, path: str) -> Json | None:
        """The object or list at a path; None where there is none."""
        try:
            return await self._client.request("GET", path, timeout=TIMEOUT)
        except errors.Forbidden as error:
            self.unread.append(f"you may not {error.call}")
        except errors.ApiError as error:
            if error.status != 404:  # a group that is not served answers it without a reason
                raise
        return None


async def _served(look: _Look) -> Served | None:
    first = await _resources(look, f"{ADMISSION}/v1")
    if not first:
        return None
    policy = "v1" if _POLICIES in first else ""
    for version in ("v1beta1", "v1alpha1"):
        if not policy and _POLICIES in await _resources(look, f"{ADMISSION}/{version}"):
            policy = version
    kyverno = _KYVERNO in await _resources(look, _KYVERNO_API)
    return Served(policy=policy, webhook=_WEBHOOKS in first, kyverno=kyverno)


async def _resources(look: _Look, api: str) -> set[str]:
    """The resources of a group's version, by discovery; none where it is not served."""
    found = await look.at(f"/{api}") or {}
    return {one.get("name", "") for one in found.get("resources") or []}


async def _coordinator(look: _Look, name: str) -> Coordinator | None:
    path = resource_path("deployments", look.namespace, f"{name}-coordinator", api="apis/apps/v1")
    found = await look.at(path)
    if found is None:
        return None
    spec, status = found.get("spec") or {}, found.get("status") or {}
    containers = spec["template"]["spec"]["containers"]
    words = [*(containers[0].get("command") or []), *(containers[0].get("args") or [])]
    return Coordinator(
        f"{name}-coordinator",
        int(spec.get("replicas", 1)),
        int(status.get("readyReplicas") or 0),
        flags(list(map(str, words))),
    )


async def _injected(look: _Look, name: str, served: Served | None) -> tuple[Injected, ...]:
    if served is None:
        return ()
    found = [
        await _policy(look, name, served.policy),
        await _webhook(look, name),
        await _kyverno(look, name) if served.kyverno else None,
    ]
    return tuple(one for one in found if one is not None)


async def _policy(look: _Look, name: str, version: str) -> Injected | None:
    if not version:
        return None
    api = f"{ADMISSION}/{version}"
    found = await look.at(resource_path(_POLICIES, name=name, api=api))
    if found is None:
        return None
    bound = await look.at(resource_path(_BINDINGS, name=name, api=api))
    fault = "" if bound else "it has no binding, so it does nothing"
    return _injected_by(look, Way.POLICY, name, fault, _constraints(found))


async def _webhook(look: _Look, name: str) -> Injected | None:
    found = await look.at(resource_path(_WEBHOOKS, name=name, api=f"{ADMISSION}/v1"))
    if found is None:
        return None
    hooks = found.get("webhooks") or []
    believed = hooks and all((one.get("clientConfig") or {}).get("caBundle") for one in hooks)
    fault = (
        "its caBundle is empty: the API server does not believe the coordinator, and movers start"
        " ungoverned. The leader fills it (--tls self-made, --webhook-configuration, its right)"
    )
    return _injected_by(look, Way.WEBHOOK, name, "" if believed else fault, *hooks)


async def _kyverno(look: _Look, name: str) -> Injected | None:
    found = await look.at(resource_path(_KYVERNO, name=name, api=_KYVERNO_API))
    if found is None:
        return None
    told = (found.get("status") or {}).get("conditionStatus") or {}
    unready = f"Kyverno says: {told.get('message') or 'not ready'}"
    fault = unready if told.get("ready") is False else ""
    return _injected_by(look, Way.KYVERNO, name, fault, _constraints(found))


def _constraints(policy: Json) -> Json:
    constraints: Json = (policy.get("spec") or {}).get("matchConstraints") or {}
    return constraints


def _injected_by(look: _Look, way: Way, name: str, fault: str, *rules: Json) -> Injected:
    """What was found; that it is for another namespace goes before its other faults."""
    for one in rules:
        labels = (one.get("namespaceSelector") or {}).get("matchLabels") or {}
        place = str(labels.get(_NAMESPACE, look.namespace))
        if place != look.namespace:
            fault = f"it is for namespace {place}, not for {look.namespace}"
            return Injected(way, name, fault, place)
    return Injected(way, name, fault)


async def _schedules(look: _Look) -> tuple[Schedule, ...]:
    found = []
    for one in await look.reader.all("schedules", "apis/velero.io/v1"):
        template = (one.get("spec") or {}).get("template") or {}
        seconds = duration(str(template.get("itemOperationTimeout") or ""))
        if seconds:
            found.append(Schedule(one["metadata"]["name"], seconds))
    return tuple(sorted(found, key=lambda schedule: schedule.name))

"""What becomes of one Pod, as a JSON patch (RFC 6902)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.movers import is_for_windows, kind_of
from coordinator.injection.sidecar import container_name, labels, volume_names

if TYPE_CHECKING:
    from coordinator.injection.sidecar import Sidecar
    from coordinator.injection.source import Object

INIT_CONTAINERS, VOLUMES = "/spec/initContainers", "/spec/volumes"


def operations(sidecar: Sidecar, pod: Object) -> list[Object]:
    """The operations that put the sidecar into the Pod; [] where it is to be left alone.

    Left alone are Pods that are no mover of Velero's, that have the sidecar, its label (with any
    value) or a volume of one of its names already, and those for Windows. Namespaces are the
    caller's business.
    """
    kind = kind_of(pod["metadata"].get("labels") or {})
    if kind is None or _is_done(pod) or is_for_windows(pod["spec"]):
        return []
    container = sidecar.container(str(sidecar.priority(kind)))
    return [
        *(added(label_path(key), value) for key, value in labels().items()),
        *_list(pod, "initContainers", INIT_CONTAINERS),
        added(f"{INIT_CONTAINERS}/0", container),
        *_list(pod, "volumes", VOLUMES),
        *(added(f"{VOLUMES}/-", volume) for volume in sidecar.volumes),
    ]


def added(path: str, value: Any) -> Object:
    """One operation."""
    return {"op": "add", "path": path, "value": value}


def label_path(key: str) -> str:
    """Where a label is, as a JSON pointer (RFC 6901)."""
    return "/metadata/labels/" + key.replace("~", "~0").replace("/", "~1")


def _list(pod: Object, field: str, path: str) -> list[Object]:
    return [] if pod["spec"].get(field) else [added(path, [])]


def _is_done(pod: Object) -> bool:
    """A volume of that name comes from a node-agent with a sidecar of its own: two cannot be."""
    spec = pod["spec"]
    containers = {one["name"] for one in spec.get("initContainers") or ()}
    volumes = {one["name"] for one in spec.get("volumes") or ()}
    return bool(
        set(labels()) & set(pod["metadata"]["labels"])
        or container_name() in containers
        or volumes & set(volume_names())
    )

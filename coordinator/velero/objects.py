"""From Kubernetes objects as the API server tells them to the plain data of `world`. Pure.

The names of fields are those of Velero 1.18 (`pkg/apis/velero/v1`, `v2alpha1`). Whatever is not
there is taken as empty: an older Velero has fewer times.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from coordinator.core.movers import PREPARE_TIMEOUT, Kind, is_governed, kind_of
from coordinator.velero.flags import flags, runs, seconds_of
from coordinator.velero.world import Mover, Node, NodeAgent, Server, Work

Json = dict[str, Any]

_VERSION = re.compile(r"v?[0-9]+\.[0-9]+[0-9A-Za-z.+-]*", re.ASCII)
_OS = "kubernetes.io/os"


def node(obj: Json) -> Node:
    """A Node."""
    labels = _map(obj, "metadata", "labels")
    conditions = _list(obj, "status", "conditions")
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    kubelet = _text(obj, "status", "nodeInfo", "kubeletVersion")
    return Node(_name(obj), labels, ready, labels.get(_OS) or "linux", kubelet)


def mover(obj: Json) -> Mover | None:
    """The mover that a Pod is; None: it is none."""
    labels = _map(obj, "metadata", "labels")
    kind = kind_of(labels)
    if kind is None:
        return None
    state = _own_state(obj)
    running, ended = _map(state, "running"), _map(state, "terminated")
    return Mover(
        name=_name(obj),
        uid=_text(obj, "metadata", "uid"),
        kind=kind,
        node=_text(obj, "spec", "nodeName"),
        phase=_text(obj, "status", "phase"),
        governed=is_governed(labels),
        windows=_wants_windows(_map(obj, "spec")),
        created=_time(obj, "metadata", "creationTimestamp") or 0.0,
        started=_time(running, "startedAt") or _time(ended, "startedAt"),
        ended=_time(ended, "finishedAt"),
    )


def work(obj: Json, kind: Kind) -> Work | None:
    """The work that a custom resource asks for.

    None for one that no mover of Velero's serves here: another program's data mover, or a copy
    that Velero's backup sync took over from another cluster (it was complete before it was made).
    """
    made = _time(obj, "metadata", "creationTimestamp") or 0.0
    completed = _time(obj, "status", "completionTimestamp")
    foreign = _text(obj, "spec", "datamover") not in ("", "velero")
    if foreign or (completed is not None and completed < made):
        return None
    spec_node = kind is Kind.POD_VOLUME_BACKUP
    return Work(
        name=_name(obj),
        kind=kind,
        node=_text(obj, "spec", "node") if spec_node else _text(obj, "status", "node"),
        phase=_text(obj, "status", "phase"),
        owner=_owner(obj, kind),
        created=made,
        accepted=_time(obj, "status", "acceptedTimestamp"),
        started=_time(obj, "status", "startTimestamp"),
        completed=completed,
        message=_text(obj, "status", "message"),
    )


def node_agent(obj: Json) -> NodeAgent | None:
    """The node-agent that a DaemonSet runs; None: it runs something else."""
    pod = _map(obj, "spec", "template", "spec")
    container = _running(pod, "node-agent", "server")
    if container is None:
        return None
    given = flags(_words(container))
    return NodeAgent(
        name=_name(obj),
        image=_text(container, "image"),
        config_map=given.get("node-agent-configmap", ""),
        prepare_timeout=seconds_of(given, "data-mover-prepare-timeout", PREPARE_TIMEOUT),
        containers=len(_list(pod, "containers")),
        windows=_wants_windows(pod),
        desired=_number(obj, "status", "desiredNumberScheduled"),
        ready=_number(obj, "status", "numberReady"),
        flags=given,
    )


def server(obj: Json) -> Server | None:
    """The Velero server that a Deployment runs; None: it runs something else."""
    container = _running(_map(obj, "spec", "template", "spec"), "server")
    if container is None:
        return None
    ready = _number(obj, "status", "readyReplicas")
    return Server(_name(obj), _text(container, "image"), ready, flags(_words(container)))


def version_of(obj: Json, image: str) -> str:
    """The version that an image's tag tells, else a Deployment's labels; "" where neither does."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    label = _map(obj, "metadata", "labels").get("app.kubernetes.io/version", "")
    return next((text for text in (tag, label) if _VERSION.fullmatch(text)), "")


def _own_state(pod: Json) -> Json:
    """The state of the mover's own container: sidecars are not asked."""
    names = [_text(one, "name") for one in _list(pod, "spec", "containers")]
    for status in _list(pod, "status", "containerStatuses"):
        if names and status.get("name") == names[0]:
            return _map(status, "state")
    return {}


def _wants_windows(pod_spec: Json) -> bool:
    named = _text(pod_spec, "os", "name") or _map(pod_spec, "nodeSelector").get(_OS)
    return named == "windows"


def _owner(obj: Json, kind: Kind) -> str:
    """The Backup or Restore; its label may be cut short, so the owner's reference goes first."""
    wanted = "Restore" if kind.restores else "Backup"
    for one in _list(obj, "metadata", "ownerReferences"):
        if one.get("kind") == wanted:
            return str(one.get("name") or "")
    labels = _map(obj, "metadata", "labels")
    return str(labels.get(f"velero.io/{wanted.lower()}-name", ""))


def _running(pod_spec: Json, *command: str) -> Json | None:
    containers = _list(pod_spec, "containers")
    return next((one for one in containers if runs(one, *command)), None)


def _words(container: Json) -> list[str]:
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    return [str(word) for word in words]


def _name(obj: Json) -> str:
    return _text(obj, "metadata", "name")


def _at(obj: Json, *keys: str) -> Any:
    found: Any = obj
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _map(obj: Json, *keys: str) -> Json:
    found = _at(obj, *keys)
    return found if isinstance(found, dict) else {}


def _list(obj: Json, *keys: str) -> list[Json]:
    found = _at(obj, *keys)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(obj: Json, *keys: str) -> str:
    found = _at(obj, *keys)
    return found if isinstance(found, str) else ""


def _number(obj: Json, *keys: str) -> int:
    found = _at(obj, *keys)
    return found if isinstance(found, int) else 0


def _time(obj: Json, *keys: str) -> float | None:
    """Seconds since 1970 of a metav1.Time, which has whole seconds."""
    try:
        return datetime.fromisoformat(_text(obj, *keys)).timestamp()
    except ValueError:
        return None

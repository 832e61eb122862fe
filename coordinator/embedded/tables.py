"""The columns that ``kubectl get`` prints (``pkg/printers/internalversion/printers.go``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Object = dict[str, Any]
_NONE, _UNKNOWN = "<none>", "<unknown>"


@dataclass(frozen=True)
class Column:
    """One column; priority 1 is shown by ``-o wide`` only."""

    name: str
    cell: Callable[[Object, datetime], Any]
    priority: int = 0
    type: str = "string"

    def render(self) -> Object:
        """Return the column's definition."""
        format_ = "name" if self.name == "Name" else ""
        return {
            "name": self.name,
            "type": self.type,
            "format": format_,
            "description": "",
            "priority": self.priority,
        }


def age(text: str | None, now: datetime) -> str:
    """Return how long ago a time was, as kubectl says it (``duration.HumanDuration``)."""
    if not text:
        return _UNKNOWN
    seconds = int((now - datetime.fromisoformat(text).astimezone(UTC)).total_seconds())
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    steps = (
        (seconds < 0, "0s"),
        (seconds < 120, f"{seconds}s"),
        (minutes < 10, f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"),
        (minutes < 180, f"{minutes}m"),
        (hours < 8, f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"),
        (hours < 48, f"{hours}h"),
        (hours < 192, f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"),
        (days < 730, f"{days}d"),
        (days < 2920, f"{days // 365}y{days % 365}d" if days % 365 else f"{days // 365}y"),
    )
    return next((told for fits, told in steps if fits), f"{days // 365}y")


def _at(*path: str, default: Any = "") -> Callable[[Object, datetime], Any]:
    def cell(obj: Object, _now: datetime) -> Any:
        found: Any = obj
        for name in path:
            found = (found or {}).get(name)
        return default if found in (None, "") else found

    return cell


def _age(*path: str) -> Callable[[Object, datetime], str]:
    find = _at(*path, default=None)
    return lambda obj, now: age(find(obj, now), now)


def _node_status(node: Object, _now: datetime) -> str:
    ready = {one.get("status") for one in _conditions(node) if one.get("type") == "Ready"}
    told = ["Ready" if "True" in ready else "NotReady" if ready else "Unknown"]
    if (node.get("spec") or {}).get("unschedulable"):
        told.append("SchedulingDisabled")
    return ",".join(told)


def _conditions(obj: Object) -> list[Object]:
    found: list[Object] = (obj.get("status") or {}).get("conditions") or []
    return found


def _node_roles(node: Object, _now: datetime) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix)} - {""}
    return ",".join(sorted(roles)) or _NONE


def _node_address(kind: str) -> Callable[[Object, datetime], str]:
    def cell(node: Object, _now: datetime) -> str:
        found = (node.get("status") or {}).get("addresses") or []
        return next((one["address"] for one in found if one.get("type") == kind), _NONE)

    return cell


def _container_statuses(pod: Object) -> list[Object]:
    found: list[Object] = (pod.get("status") or {}).get("containerStatuses") or []
    return found


def _pod_ready(pod: Object, _now: datetime) -> str:
    ready = sum(1 for one in _container_statuses(pod) if one.get("ready"))
    return f"{ready}/{len((pod.get('spec') or {}).get('containers') or [])}"


def _pod_status(pod: Object, _now: datetime) -> str:
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    done = {"Succeeded": "Completed", "Failed": "Error"}
    phase = status.get("reason") or status.get("phase") or "Unknown"
    return done.get(phase, phase)


def _pod_restarts(pod: Object, _now: datetime) -> str:
    return str(sum(one.get("restartCount", 0) for one in _container_statuses(pod)))


def _data_count(config: Object, _now: datetime) -> int:
    return len(config.get("data") or {}) + len(config.get("binaryData") or {})


def _event_object(event: Object, _now: datetime) -> str:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return f"{about.get('kind', '')}/{about.get('name', '')}".lower()


def _event_note(event: Object, _now: datetime) -> str:
    return str(event.get("message") or event.get("note") or "").strip()


def _last_seen(event: Object, now: datetime) -> str:
    last = event.get("lastTimestamp") or event.get("deprecatedLastTimestamp")
    return age(
        (event.get("series") or {}).get("lastObservedTime") or last or event.get("eventTime"), now
    )


_NAME = Column("Name", _at("metadata", "name"))
_AGE = Column("Age", _age("metadata", "creationTimestamp"))
_INFO = ("status", "nodeInfo")
_COLUMNS: dict[str, tuple[Column, ...]] = {
    "Lease": (_NAME, Column("Holder", _at("spec", "holderIdentity")), _AGE),
    "ConfigMap": (_NAME, Column("Data", _data_count, type="integer"), _AGE),
    "Secret": (
        _NAME,
        Column("Type", _at("type")),
        Column("Data", _data_count, type="integer"),
        _AGE,
    ),
    "Namespace": (_NAME, Column("Status", _at("status", "phase")), _AGE),
    "Node": (
        _NAME,
        Column("Status", _node_status),
        Column("Roles", _node_roles),
        _AGE,
        Column("Version", _at(*_INFO, "kubeletVersion")),
        Column("Internal-IP", _node_address("InternalIP"), 1),
        Column("External-IP", _node_address("ExternalIP"), 1),
        Column("OS-Image", _at(*_INFO, "osImage", default=_UNKNOWN), 1),
        Column("Kernel-Version", _at(*_INFO, "kernelVersion", default=_UNKNOWN), 1),
        Column("Container-Runtime", _at(*_INFO, "containerRuntimeVersion", default=_UNKNOWN), 1),
    ),
    "Pod": (
        _NAME,
        Column("Ready", _pod_ready),
        Column("Status", _pod_status),
        Column("Restarts", _pod_restarts),
        _AGE,
        Column("IP", _at("status", "podIP", default=_NONE), 1),
        Column("Node", _at("spec", "nodeName", default=_NONE), 1),
        Column("Nominated Node", _at("status", "nominatedNodeName", default=_NONE), 1),
        Column("Readiness Gates", lambda _pod, _now: _NONE, 1),
    ),
    "Event": (
        Column("Last Seen", _last_seen),
        Column("Type", _at("type")),
        Column("Reason", _at("reason")),
        Column("Object", _event_object),
        Column("Message", _event_note),
        Column("Name", _at("metadata", "name"), 1),
    ),
}


def definitions(kind: str) -> list[Object]:
    """Return the column definitions of a kind."""
    return [column.render() for column in _COLUMNS[kind]]


def cells(kind: str, obj: Object, now: datetime) -> list[Any]:
    """Return one row."""
    return [column.cell(obj, now) for column in _COLUMNS[kind]]

"""A recording: JSON lines, one for each thing that changed, in the order in which it was seen.

    {"at": 1795364400.1, "key": "begin", "value": {"version": 1, "namespace": "velero", ...}}
    {"at": 1795364400.1, "key": "node worker-1", "value": {"name": "worker-1", "labels": {...}}}
    {"at": 1795364402.1, "key": "mover 8c1f...", "value": {"name": "nightly-x4kq", ...}}
    {"at": 1795364460.1, "key": "mover 8c1f...", "value": null}

A key names the thing, its value is all that was seen of it (whatever is empty is left out), null
that it is not there any more. Reading folds the lines, so a second recording may follow the first
in one file. Times in values are the cluster's, `at` is the observer's, in seconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

import orjson

from coordinator.core.movers import Kind
from coordinator.velero.world import Limits, Mover, Node, NodeAgent, Work, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION = 1
BEGIN, END = "begin", "end"
Value = dict[str, Any] | None
_LEFT_OUT = frozenset({"message", "flags", "kubelet"})
"""Long, and of no use later."""


class NoRecording(ValueError):
    """A file that is no recording; the text says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line."""

    at: float
    key: str
    value: Value


@dataclass(slots=True)
class Recording:
    """A file's lines, as far as they can be read."""

    entries: list[Entry] = field(default_factory=list)
    damaged: int = 0
    """Lines that cannot be read: the last one of a recording that was cut short."""

    @property
    def state(self) -> dict[str, Value]:
        """What was there at the end."""
        return {entry.key: entry.value for entry in self.entries if entry.key not in _MARKS}

    @property
    def namespace(self) -> str:
        """Velero's; "" where no line says."""
        told = [one.value.get("namespace") for one in self.entries if _begins(one) and one.value]
        return str(told[-1] or "") if told else ""


_MARKS = frozenset({BEGIN, END})


def state_of(world: World) -> dict[str, Value]:
    """Everything in a world that is recorded, by key."""
    found: dict[str, Value] = {f"node {one.name}": _plain(one) for one in world.nodes}
    found |= {f"agent {one.name}": _plain(one) for one in world.node_agents}
    found |= {f"limits {one.name}": _plain(one) for one in world.limits}
    found |= {f"mover {one.uid}": _plain(one) for one in world.movers}
    found |= {f"work {one.kind.value}/{one.name}": _plain(one) for one in world.works}
    if world.unread:
        found["unread"] = {"sentences": list(world.unread)}
    return found


def changes(before: Mapping[str, Value], after: Mapping[str, Value], at: float) -> Iterator[Entry]:
    """What became another between two states: changed and new things first, then what is gone."""
    for key, value in after.items():
        if before.get(key) != value:
            yield Entry(at, key, value)
    for key, value in before.items():
        if value is not None and key not in after:
            yield Entry(at, key, None)


def begin(world: World, every: float) -> Entry:
    """The line that starts a recording; looks are `every` so many seconds apart."""
    about = {"namespace": world.namespace, "kubernetes": world.kubernetes, "velero": world.velero}
    return Entry(world.taken, BEGIN, {"version": VERSION, "every": every, **about})


def write(entries: Iterable[Entry]) -> bytes:
    """The entries as lines."""
    return b"".join(
        orjson.dumps({"at": round(one.at, 3), "key": one.key, "value": one.value}) + b"\n"
        for one in entries
    )


def read(content: bytes, name: str) -> Recording:
    """A file's recording; lines that cannot be read are counted. Raises `NoRecording`."""
    recording = Recording()
    for line in content.splitlines():
        entry = _entry(line)
        if entry is not None:
            recording.entries.append(entry)
        elif line.strip():
            recording.damaged += 1
    if not recording.entries:
        what = "is empty" if not content.strip() else "has no line of a recording"
        raise NoRecording(f"{name} {what}; make one with slot-coordinator observe --record {name}")
    versions = [one.value.get("version") for one in recording.entries if _begins(one) and one.value]
    if any(version != VERSION for version in versions):
        raise NoRecording(f"{name} was recorded by a newer slot-coordinator; read it with that one")
    return recording


def node_of(value: Value) -> Node:
    """A node, from its value."""
    return Node(**_known(Node, {"labels": {}, "ready": False} | (value or {})))


def agent_of(value: Value) -> NodeAgent:
    """A node-agent, from its value."""
    base = {"image": "", "config_map": "", "prepare_timeout": 0.0, "containers": 0}
    return NodeAgent(**_known(NodeAgent, base | (value or {})))


def limits_of(value: Value) -> Limits:
    """A ConfigMap, from its value."""
    return Limits(**_known(Limits, {"data": None} | (value or {})))


def mover_of(value: Value) -> Mover:
    """A mover, from its value."""
    base = {"node": "", "phase": "", "governed": False, "windows": False, "created": 0.0}
    return Mover(**_known(Mover, base | (value or {})))


def work_of(value: Value) -> Work:
    """A work, from its value."""
    base = {"node": "", "phase": "", "owner": "", "created": 0.0}
    return Work(**_known(Work, base | (value or {})))


def _begins(entry: Entry) -> bool:
    return entry.key == BEGIN


def _plain(one: Any) -> dict[str, Any]:
    """Its fields, without what is empty."""
    found = {}
    for each in fields(one):
        value = getattr(one, each.name)
        if each.name not in _LEFT_OUT and value not in (None, "", False):
            found[each.name] = value.value if isinstance(value, Enum) else value
    return found


def _known(kind: type, value: dict[str, Any]) -> dict[str, Any]:
    names = {each.name for each in fields(kind)}
    found = {name: content for name, content in value.items() if name in names}
    return found | ({"kind": Kind(found["kind"])} if "kind" in found else {})


def _entry(line: bytes) -> Entry | None:
    try:
        told = orjson.loads(line)
        at, key, value = float(told["at"]), told["key"], told["value"]
    except (ValueError, TypeError, KeyError):
        return None
    fits = isinstance(key, str) and (value is None or isinstance(value, dict))
    return Entry(at, key, value) if fits else None

"""Velero in one namespace as a reader sees it at one moment: plain data.

Times are seconds since 1970. Whatever may not be read, or is not there, is None or empty, and
`World.unread` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.core.movers import Kind


@dataclass(frozen=True, slots=True)
class Node:
    """One node; `os` is linux or windows."""

    name: str
    labels: Mapping[str, str]
    ready: bool
    os: str = "linux"
    kubelet: str = ""
    """Its kubelet's version, such as v1.36.3."""


@dataclass(frozen=True, slots=True)
class NodeAgent:
    """One DaemonSet of node-agents: there may be one for Linux and one for Windows."""

    name: str
    image: str
    config_map: str
    """Of its flag --node-agent-configmap; "" without it."""
    prepare_timeout: float
    """Seconds, of its flag --data-mover-prepare-timeout or Velero's default."""
    containers: int
    """In its template: movers fail unless it is exactly one."""
    windows: bool = False
    desired: int = 0
    ready: int = 0
    flags: Mapping[str, str] = field(default_factory=dict)
    """Of `velero node-agent server`, by name without dashes; "true" for one without a value."""


@dataclass(frozen=True, slots=True)
class Server:
    """The Deployment that runs `velero server`."""

    name: str
    image: str
    ready: int = 0
    flags: Mapping[str, str] = field(default_factory=dict)
    """By name without dashes, such as fs-backup-timeout; "true" for one without a value."""


@dataclass(frozen=True, slots=True)
class Mover:
    """A data mover's Pod. `node` is "" until it is scheduled."""

    name: str
    uid: str
    kind: Kind
    node: str
    phase: str
    governed: bool
    windows: bool
    created: float
    started: float | None = None
    """When its own container started."""
    ended: float | None = None
    """When its own container ended."""


@dataclass(frozen=True, slots=True)
class Work:
    """One of Velero's custom resources that a mover serves, as PodVolumeBackup."""

    name: str
    kind: Kind
    node: str
    phase: str
    """New, Accepted, Prepared, InProgress, Canceling, Canceled, Completed or Failed; "" is New."""
    owner: str
    """The Backup or Restore that it belongs to."""
    created: float
    accepted: float | None = None
    started: float | None = None
    completed: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """A ConfigMap of a node-agent or of the coordinator, as far as it can be read."""

    name: str
    data: Mapping[str, str] | None
    """None: it is not there."""


@dataclass(frozen=True, slots=True)
class World:
    """All of it, as it was at `taken`."""

    namespace: str
    taken: float
    kubernetes: str = ""
    """The API server's version, such as v1.36.3."""
    velero: str = ""
    """Velero's version by its Deployment's image, such as v1.18.0; "" where that does not tell."""
    server: Server | None = None
    node_agents: tuple[NodeAgent, ...] = ()
    limits: tuple[Limits, ...] = ()
    """The ConfigMaps that the node-agents name, each once."""
    nodes: tuple[Node, ...] = ()
    movers: tuple[Mover, ...] = ()
    works: tuple[Work, ...] = ()
    unread: tuple[str, ...] = field(default=())
    """What could not be read, a sentence each, with what to do."""

"""The words of `velero check`: what is known of our own side, and what is found. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.velero.world import Limits


class Level(StrEnum):
    """How bad a finding is, from good to bad."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WARNING = "warning"
    """It works, and something of it will not be as it is meant."""
    ERROR = "error"
    """Not ready: movers would not be governed, or would fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str
    text: str
    todo: str = ""
    """What to do, as a sentence; "" when nothing has to be done."""
    commands: tuple[str, ...] = ()
    """Shell commands that do it, each complete."""


class Way(StrEnum):
    """How the sidecar gets into mover Pods; as `velero install --injection` takes them."""

    POLICY = "policy"
    WEBHOOK = "webhook"
    KYVERNO = "kyverno"


@dataclass(frozen=True, slots=True)
class Served:
    """Which ways of injection this API server has."""

    policy: str = ""
    """The best version that MutatingAdmissionPolicy is served in: v1, v1beta1, v1alpha1 or ""."""
    webhook: bool = True
    kyverno: bool = False


@dataclass(frozen=True, slots=True)
class Injected:
    """An injection of ours that is in the cluster."""

    way: Way
    name: str
    fault: str = ""
    """Why it does not work, a sentence; "" when nothing seems to be wrong."""
    elsewhere: str = ""
    """The other namespace that it is for; "" where it is for this one."""


@dataclass(frozen=True, slots=True)
class Coordinator:
    """The coordinator's Deployment."""

    name: str
    desired: int
    ready: int
    flags: Mapping[str, str] = field(default_factory=dict)
    """Of `serve`, by name without dashes."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """One of Velero's Schedules that sets a timeout itself."""

    name: str
    item_operation_timeout: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Own:
    """Our own side of it, and what else only `velero check` asks for."""

    name: str = "node-slots"
    """What the names of the installation begin with."""
    config_map: str = "node-slots"
    """The ConfigMap of limits that was looked for."""
    limits: Limits | None = None
    """None: it could not be read."""
    served: Served | None = None
    """None: the API server did not say."""
    injected: tuple[Injected, ...] = ()
    coordinator: Coordinator | None = None
    schedules: tuple[Schedule, ...] = ()
    """Those that set a timeout for item operations, by name."""
    unread: tuple[str, ...] = ()
    """What could not be read, a sentence each."""

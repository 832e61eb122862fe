"""What a pool needs done outside of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from coordinator.core.model import PodRef
    from coordinator.kube.events import Kind, ObjectRef
    from coordinator.service.gate import Gate
    from coordinator.service.looks import Examiner
    from coordinator.service.writer import Writer


class Tell(Protocol):
    """Writes an Event about an object: one CamelCase word as the reason, and a sentence."""

    def __call__(self, about: ObjectRef, reason: str, message: str, kind: Kind = "Warning") -> None:
        """Return at once; what cannot be written is logged."""


@dataclass(frozen=True, slots=True)
class Hands:
    """Everything that reaches out; a pool itself only decides what and when."""

    writer: Writer
    relist: Callable[[], None]
    """Asks for a consistent list of the pool's Leases."""
    relist_pods: Callable[[], None]
    """Asks for a list of all Pods."""
    examine: Examiner
    """Looks at a Pod on a node; raises `ApiError`."""
    read_pod: Callable[[PodRef], Awaitable[dict[str, Any] | None]]
    """Reads a Pod; None where it is gone. Raises `ApiError`."""
    gate: Gate
    """Paces the looks while the API server is away."""
    spawn: Callable[[Coroutine[object, object, None]], object]
    """Runs something beside everything else."""
    tell: Tell
    """Writes an Event about an object."""

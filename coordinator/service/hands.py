"""What a pool needs done outside of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from coordinator.kube.events import ObjectRef
    from coordinator.service.gate import Gate
    from coordinator.service.looks import Examiner
    from coordinator.service.writer import Writer


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
    gate: Gate
    """Paces the looks while the API server is away."""
    spawn: Callable[[Coroutine[object, object, None]], object]
    """Runs something beside everything else."""
    warn: Callable[[ObjectRef, str, str], None]
    """Writes a Warning Event about an object: reason, message."""

"""What is known around a node's table that explains what the table does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.core.cap import CapUse


@dataclass(frozen=True, slots=True)
class ConfigTrouble:
    """The ConfigMap's newest state is refused since then (RFC 3339), and why."""

    since: str
    error: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """For one node."""

    decided_by: str = ""
    """What made the limit: a rule, `globalConfig`, `default`."""
    durations: Sequence[float] = ()
    """How long loads lately held the node's slots, in seconds."""
    config: ConfigTrouble | None = None
    cap: CapUse | None = None
    age: Callable[[str], float | None] = field(default=lambda _: None)
    """Seconds since the time of a grant as its Lease tells it; None where it tells none."""

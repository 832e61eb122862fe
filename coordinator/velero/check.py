"""Whether Velero in a cluster is ready to be governed: from what was read to findings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.velero.check_injection import injection
from coordinator.velero.check_limits import ruled, veleros_limit
from coordinator.velero.check_model import Finding, Level
from coordinator.velero.check_nodes import nodes
from coordinator.velero.check_queue import queue, workers
from coordinator.velero.check_timeouts import timeouts
from coordinator.velero.check_versions import versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.velero.check_model import Own
    from coordinator.velero.world import World

READY, NOT_READY, UNREADABLE, WARNINGS = 0, 1, 2, 3
"""Exit codes, as those of `slot-coordinator check`."""


def findings(world: World, own: Own) -> list[Finding]:
    """Everything that there is to say, in the order of a reader's questions.

    Is it new enough? How does the sidecar get in? What are the limits, and whose hold? How long
    may a mover wait? What is left out, and what could not be seen?
    """
    ours, limits = ruled(world, own)
    return [
        *versions(world),
        *nodes(world),
        *injection(world, own),
        *limits,
        *veleros_limit(world, own, ours),
        *queue(world, ours),
        *workers(world, ours),
        *timeouts(world, own, ours),
        *[Finding(Level.NOTE, "not seen", text) for text in sorted({*world.unread, *own.unread})],
    ]


def exit_code(found: Sequence[Finding], *, strict: bool) -> int:
    """0 ready, 1 not ready; warnings are 3 when `strict`."""
    levels = {one.level for one in found}
    if Level.ERROR in levels:
        return NOT_READY
    return WARNINGS if strict and Level.WARNING in levels else READY

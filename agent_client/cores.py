"""No core dump of an agent: the token that it shows is in its memory."""

from __future__ import annotations

import resource

CoreLimits = tuple[int, int]
"""Soft and hard limit, in bytes."""


def leave_no_core() -> CoreLimits:
    """This process dumps no core from now on; what comes back is how it was, for its children."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, before[1]))
    return before


def dump_as(limits: CoreLimits) -> None:
    """Dump as an earlier `leave_no_core` found it."""
    resource.setrlimit(resource.RLIMIT_CORE, limits)

"""The one judge of all three ways: what `operations` makes of a Pod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonpatch

from coordinator.injection import Sidecar, operations
from coordinator.install.defaults import IMAGE

if TYPE_CHECKING:
    from tests.injection.movers import Pod


def a_sidecar(pool: str = "velero", **more: Any) -> Sidecar:
    """A sidecar as the coordinator's own namespace has it."""
    return Sidecar(image=IMAGE, url=f"https://node-slots.{pool}.svc:8443", pool=pool, **more)


def injected(sidecar: Sidecar, pod: Pod) -> Pod:
    """The Pod as it should be; the same where it is to be left alone."""
    changed: Pod = jsonpatch.apply_patch(pod, operations(sidecar, pod))
    return changed

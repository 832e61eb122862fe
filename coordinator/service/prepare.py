"""Tells of movers that Velero is about to fail, with an Event on the Pod of each and a log line.

Each is told of once; after a change of leader perhaps again, in the same Event's count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.kube.events import ObjectRef
from coordinator.service.waits import details, duration

if TYPE_CHECKING:
    from coordinator.core.prepare import NearTimeout
    from coordinator.service.hands import Tell
    from coordinator.service.reports import PoolReports

NEAR = "PrepareTimeoutNear"
"""The reason of these Events."""


def tell_of_timeout(
    near: NearTimeout, namespace: str, timeout: float, tell: Tell, reports: PoolReports
) -> None:
    """Say it; `timeout` is Velero's prepare timeout in seconds."""
    pod = near.wait.pod
    reports.near_timeout(near)
    about = ObjectRef("Pod", pod.name, pod.namespace, pod.uid)
    tell(about, NEAR, sentence(namespace, near, timeout))


def sentence(namespace: str, near: NearTimeout, timeout: float) -> str:
    """The warning in words, with the numbers and what can be done."""
    wait = near.wait
    soon = f"in about {duration(near.left)}" if near.left > 0 else "at any moment"
    return (
        f"the mover of {near.kind.value} {wait.load} waits for a slot of node {wait.node} in pool"
        f" {namespace} and was made {duration(near.age)} ago: {details(wait)}. Velero fails it"
        f" {soon}, when its prepare timeout of {duration(timeout)} is over: raise"
        " --data-mover-prepare-timeout of the node-agent, and --prepare-timeout of the"
        " coordinator with it, to the longest wait, or give the node more slots"
    )

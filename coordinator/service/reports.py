"""What a pool tells people: one log line an event, and the counters."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import structlog

from coordinator.core import messages as m
from coordinator.core.model import Cause, Verdict
from coordinator.kube.events import ObjectRef
from coordinator.kube.reflector import Broken, Watching

if TYPE_CHECKING:
    from coordinator.core.prepare import Mover, NearTimeout
    from coordinator.kube.errors import ApiError
    from coordinator.kube.events import Kind
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.hands import Tell
    from coordinator.service.metrics import Metrics


RECLAIMED = "SlotReclaimed"
"""The reason of the Events that tell of a reclaim."""


def tell_of_reclaim(tell: Tell, namespace: str, command: m.Reclaimed) -> None:
    """An Event on each thing that the reclaim is about."""
    for about in reclaim_subjects(namespace, command):
        tell(about, RECLAIMED, f"{command.load}: {command.reason}", reclaim_kind(command))


def reclaim_subjects(namespace: str, command: m.Reclaimed) -> list[ObjectRef]:
    """What a reclaim is told about with an Event: the slot's Lease, and the Pod of the claim.

    Nothing, where the agent had said that the load is ending: that is how `hold` gives back.
    """
    if command.expected:
        return []
    lease, pod = command.lease, command.pod
    about = [ObjectRef("Lease", lease.name, namespace, lease.uid, "coordination.k8s.io/v1")]
    return about + ([ObjectRef("Pod", pod.name, pod.namespace, pod.uid)] if pod else [])


def reclaim_kind(command: m.Reclaimed) -> Kind:
    """A Pod that has finished is how loads end; everything else is worth a warning."""
    return "Normal" if command.expected or command.cause is Cause.FINISHED else "Warning"


class StreamReports:
    """Says when the API server stops answering for a resource, and when it answers again."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log
        self._broken: set[str] = set()

    def is_broken(self, resource: str) -> bool:
        """Whether the API server does not answer for that resource at the moment."""
        return resource in self._broken

    def heard(self, resource: str, event: StreamEvent) -> None:
        """What a list and watch of the resource says of its own health."""
        if isinstance(event, Broken):
            self.broken(resource, event.error, event.delay)
        elif isinstance(event, Watching):
            self.well(resource)

    def broken(self, resource: str, error: ApiError, delay: float) -> None:
        """A list, a watch or a read failed and will be tried again after `delay` seconds."""
        self._broken.add(resource)
        self._log.warning(
            "API server did not answer", resource=resource, error=str(error), retry_after=delay
        )

    def well(self, resource: str) -> None:
        """The watch goes on."""
        if resource in self._broken:
            self._broken.remove(resource)
            self._log.info("API server answers again", resource=resource)


class ElectionReports:
    """Says who leads, whenever that changes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = structlog.get_logger("coordinator.election")
        self._last: tuple[bool, str] | None = None

    def now(self, *, leading: bool, leader: str) -> None:
        """Whether this replica leads, and who does ("" for nobody)."""
        self._metrics.leads(leading)
        if (leading, leader) == self._last:
            return
        self._last = (leading, leader)
        if leading:
            self._log.info("leading")
        elif leader:
            self._log.info("following", leader=leader)
        else:
            self._log.warning("nobody leads")

    def trouble(self, error: ApiError | None) -> None:
        """An election request failed; None once one is answered again."""
        if error is None:
            self._log.info("election goes on")
        else:
            self._log.warning("election request failed", error=str(error))

    def stepped_down(self, *, released: bool) -> None:
        """This replica stops; others need not wait if leadership was released."""
        if released:
            self._log.info("leadership released")


class PoolReports:
    """Logs and counts for one pool."""

    def __init__(self, namespace: str, metrics: Metrics) -> None:
        self._namespace = namespace
        self._metrics = metrics
        metrics.expect(namespace)
        self._log = structlog.get_logger("coordinator.pool").bind(namespace=namespace)
        self.streams = StreamReports(self._log)

    def turned_away(self) -> None:
        """A new claim found as many waiting as may."""
        self._metrics.turned_away(self._namespace)

    def limit_changed(self, node: str, before: int, after: int, why: str) -> None:
        """A node's limit, or what decides it, is another one."""
        self._log.info("limit changed", node=node, before=before, limit=after, rule=why)

    def config_changed(self, version: str) -> None:
        """The ConfigMap's newest text is in force."""
        self._log.info("config accepted", version=version)

    def config_refused(self, message: str) -> None:
        """The ConfigMap's newest text was not taken."""
        self._log.error("config refused", error=message)

    def reclaimed(self, node: str, command: m.Reclaimed) -> None:
        """The slot of a dead holder is being taken back, or of one that was about to end."""
        self._log.log(
            logging.INFO if reclaim_kind(command) == "Normal" else logging.WARNING,
            "reclaim",
            node=node,
            claim=command.claim,
            load=command.load,
            cause=command.cause.value,
            reason=command.reason,
        )
        self._metrics.reclaimed(self._namespace, command.cause.value)

    def refused_release(self, node: str, caller: str, refusal: m.OthersClaim) -> None:
        """An agent released what is another owner's claim; nothing was changed."""
        claim, owner = str(refusal), refusal.owner
        self._log.warning("release refused", node=node, claim=claim, caller=caller, owner=owner)

    def saw_ungoverned(self) -> None:
        """A mover without the sidecar was seen for the first time."""
        self._metrics.mover_ungoverned(self._namespace)

    def ungoverned(self, mover: Mover, node: str, *, windows: bool) -> None:
        """Which mover that was, and on which node ("" where it is not known)."""
        pod, kind = f"{mover.pod.namespace}/{mover.pod.name}", mover.kind.value
        self._log.warning("mover ungoverned", pod=pod, kind=kind, node=node, windows=windows)

    def near_timeout(self, near: NearTimeout) -> None:
        """Velero is about to fail a mover that waits."""
        wait = near.wait
        self._log.warning(
            "prepare timeout near",
            node=wait.node,
            pod=f"{wait.pod.namespace}/{wait.pod.name}",
            kind=near.kind.value,
            claim=wait.claim,
            age=round(near.age),
            left=round(near.left),
            position=wait.position,
            reason=wait.reason,
        )

    def examined(self, node: str, command: m.Examine, verdict: Verdict) -> None:
        """A claim's Pod was looked at; that of one who renews is only of interest if it ended."""
        if verdict is Verdict.UNJUDGED:
            return
        pod = f"{command.pod.namespace}/{command.pod.name}"
        event = "silent holder" if command.silent else "holder"
        self._log.info(event, node=node, claim=command.claim, pod=pod, verdict=verdict.value)

    def outcome(self, node: str, op: m.Operation, outcome: m.Outcome, now: float) -> None:
        """An operation on a Lease ended."""
        if isinstance(outcome, m.Unknown):
            self._metrics.unknown(self._namespace)
            self._log.warning("outcome unknown", node=node, write=type(op).__name__)
        elif isinstance(outcome, m.Failed):
            self._log.error("write refused", node=node, error=outcome.why)
        elif isinstance(outcome, m.Written):
            self._written(node, op, now)

    def _written(self, node: str, op: m.Operation, now: float) -> None:
        match op:
            case m.Grant():
                self._metrics.granted(self._namespace, None)
                self._granted("granted", node, op)
            case m.HandOver():
                self._metrics.granted(self._namespace, now - op.since)
                self._granted("handed over", node, op)
            case m.Free():
                left = op.base.holder.claim if op.base.holder else ""
                self._log.info("freed", node=node, lease=op.base.name, claim=left)

    def _granted(self, event: str, node: str, op: m.Grant | m.HandOver) -> None:
        self._log.info(
            event,
            node=node,
            lease=op.base.name,
            claim=op.claim,
            load=op.terms.load,
            token=op.base.version,
        )

"""What a pool tells people: one log line an event, and the counters."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

import structlog

from coordinator.core import messages as m
from coordinator.core.durations import Durations
from coordinator.core.happenings import ConfigChanged, Granted, HandedOver, Released
from coordinator.core.model import Cause, Verdict
from coordinator.kube.events import ObjectRef
from coordinator.kube.reflector import Broken, Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.happenings import Happening, LimitChanged, Party, Reclaimed
    from coordinator.core.model import Lease, PodRef
    from coordinator.core.prepare import Mover, NearTimeout
    from coordinator.core.refusals import OthersClaim
    from coordinator.kube.errors import ApiError
    from coordinator.kube.events import Kind
    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.hands import Tell
    from coordinator.service.metrics import Metrics


RECLAIMED = "SlotReclaimed"
"""The reason of the Events that tell of a reclaim."""
REFUSED = "LimitsRefused"
"""The reason of the Events that tell of a ConfigMap that was not taken."""


def tell_of_reclaim(tell: Tell, namespace: str, command: m.Reclaimed) -> None:
    """An Event on each thing that the reclaim is about."""
    kind = reclaim_kind(command.cause, expected=command.expected)
    for about in reclaim_subjects(namespace, command):
        tell(about, RECLAIMED, f"{command.load}: {command.reason}", kind)


def reclaim_subjects(namespace: str, command: m.Reclaimed) -> list[ObjectRef]:
    """What a reclaim is told about with an Event: the slot's Lease, and the Pod of the claim.

    Nothing, where the agent had said that the load is ending: that is how `hold` gives back.
    """
    if command.expected:
        return []
    return lease_and_pod(namespace, command.lease, command.pod)


def lease_and_pod(namespace: str, lease: Lease, pod: PodRef | None) -> list[ObjectRef]:
    """The slot's Lease, and the Pod of its claim where it has one: what a holder's end is about."""
    about = [ObjectRef("Lease", lease.name, namespace, lease.uid, "coordination.k8s.io/v1")]
    return about + ([ObjectRef("Pod", pod.name, pod.namespace, pod.uid)] if pod else [])


def reclaim_kind(cause: Cause, *, expected: bool) -> Kind:
    """A Pod that has finished is how loads end; everything else is worth a warning."""
    return "Normal" if expected or cause is Cause.FINISHED else "Warning"


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
    """Logs and counts for one pool, and tells each happening to those who listen."""

    def __init__(self, namespace: str, metrics: Metrics) -> None:
        self._namespace = namespace
        self._metrics = metrics
        metrics.expect(namespace)
        self.durations = Durations()
        """How long loads lately held their slots; it outlives a time of leading."""
        self._listeners: list[Callable[[Happening], None]] = [
            partial(metrics.happened, namespace),
            self.durations.heard,
        ]
        self._log = structlog.get_logger("coordinator.pool").bind(namespace=namespace)
        self.streams = StreamReports(self._log)

    def took_over(self, nodes: int, seconds: float) -> None:
        """All Leases are known, and whose they are, so long after they were first asked for."""
        self._log.info("took over", nodes=nodes, seconds=round(seconds, 3))

    def turned_away(self) -> None:
        """A new claim found as many waiting as may."""
        self._metrics.turned_away(self._namespace)

    def listen(self, listener: Callable[[Happening], None]) -> Callable[[], None]:
        """Tell the listener each happening from now on, once. Call what comes back to end that."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    def tell(self, happening: Happening) -> None:
        """Pass on what happened to whoever listens."""
        for listener in self._listeners:
            listener(happening)

    def happened(self, happening: Granted | HandedOver | Released) -> None:
        """A slot has another holder, or none; the write stands."""
        match happening:
            case HandedOver():
                last, seconds = happening.by.claim, round(happening.seconds, 3)
                self._log.info("handed over", **_grant(happening), last=last, seconds=seconds)
            case Granted():
                self._log.info("granted", **_grant(happening))
            case Released():
                self._log.info("freed", **_place(happening), **_party(happening.by))
        self.tell(happening)

    def limit_changed(self, change: LimitChanged, *, logged: bool) -> None:
        """A node's limit, or what decides it, is another one.

        Whoever listens is told of each; the log only of what is worth a line, for a change of rules
        may be one of thousands.
        """
        if logged:
            self._log.info(
                "limit changed",
                node=change.node,
                before=change.before,
                limit=change.after,
                rule=change.rule,
            )
        self.tell(change)

    def more_limits_changed(self, nodes: int) -> None:
        """So many nodes more have another limit by one change of rules, beyond those named."""
        self._log.info("more limits changed", nodes=nodes)

    def config_changed(self, version: str) -> None:
        """The ConfigMap's newest text is in force."""
        self._log.info("config accepted", version=version)
        self.tell(ConfigChanged(version, ""))

    def config_refused(self, version: str, message: str) -> None:
        """The ConfigMap's newest text was not taken; the rules of `version` stay in force."""
        self._log.error("config refused", error=message)
        self.tell(ConfigChanged(version, message))

    def reclaimed(self, happening: Reclaimed, *, expected: bool) -> None:
        """The slot of a dead holder is being taken back, or of one that was about to end."""
        quiet = reclaim_kind(happening.cause, expected=expected) == "Normal"
        self._log.log(
            logging.INFO if quiet else logging.WARNING,
            "reclaim",
            node=happening.node,
            lease=happening.lease,
            **_party(happening.by),
            cause=happening.cause.value,
            reason=happening.reason,
        )
        self.tell(happening)

    def refused_release(self, node: str, caller: str, refusal: OthersClaim) -> None:
        """An agent released what is another owner's claim; nothing was changed."""
        claim, owner = str(refusal), refusal.owner
        self._log.warning("release refused", node=node, claim=claim, caller=caller, owner=owner)

    def saw_ungoverned(self) -> None:
        """A mover without the sidecar was seen for the first time."""
        self._metrics.mover_ungoverned(self._namespace)

    def ungoverned(self, mover: Mover, node: str, *, windows: bool) -> None:
        """Which mover that was, and on which node ("" where it is not known)."""
        pod, kind = str(mover.pod), mover.kind.value
        self._log.warning("mover ungoverned", pod=pod, kind=kind, node=node, windows=windows)

    def near_timeout(self, near: NearTimeout) -> None:
        """Velero is about to fail a mover that waits."""
        wait = near.wait
        self._log.warning(
            "prepare timeout near",
            node=wait.node,
            pod=str(wait.pod),
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
        pod = str(command.pod)
        told = {"claim": command.claim, "pod": pod, "silent": command.silent}
        self._log.info("holder looked at", node=node, **told, verdict=verdict.value)

    def outcome(self, node: str, op: m.Operation, outcome: m.Outcome) -> None:
        """An operation on a Lease ended; what happened by it is told by `happened`."""
        if isinstance(outcome, m.Unknown):
            self._metrics.unknown(self._namespace)
            self._log.warning("outcome unknown", node=node, **_write(op))
        elif isinstance(outcome, m.Failed):
            self._log.error("write refused", node=node, **_write(op), error=outcome.why)


def _grant(happening: Granted | HandedOver) -> dict[str, object]:
    numbers = {"token": happening.token, "waited": round(happening.waited, 3)}
    return _place(happening) | _party(happening.to) | numbers


def _place(happening: Granted | HandedOver | Released) -> dict[str, object]:
    """Where it happened, and how long the slot was held that changed hands, if that is known."""
    held = None if isinstance(happening, Granted) else happening.held
    told: dict[str, object] = {"node": happening.node, "lease": happening.lease}
    return told if held is None else told | {"held": round(held, 3)}


def _party(party: Party) -> dict[str, object]:
    told: dict[str, object] = {"claim": party.claim, "load": party.load}
    return told | {"pod": str(party.pod)} if party.pod else told


def _write(op: m.Operation) -> dict[str, object]:
    """The write, its Lease, and the claim that it is about, if there is one."""
    told: dict[str, object] = {"write": type(op).__name__, "lease": _lease_of(op)}
    claim = _claim_of(op)
    return told | {"claim": claim} if claim else told


def _lease_of(op: m.Operation) -> str:
    return op.name if isinstance(op, m.Make | m.ReadBack) else op.base.name


def _claim_of(op: m.Operation) -> str:
    if isinstance(op, m.Grant | m.HandOver | m.Refresh):
        return op.claim
    holder = op.base.holder if isinstance(op, m.Free | m.Remove) else None
    return holder.claim if holder else ""

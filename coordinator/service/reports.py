"""What a pool tells people: one log line an event, and the counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from coordinator.core import messages as m

if TYPE_CHECKING:
    from coordinator.kube.errors import ApiError
    from coordinator.service.metrics import Metrics


class StreamReports:
    """Says when the API server stops answering for a resource, and when it answers again."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger) -> None:
        self._log = log
        self._broken: set[str] = set()

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


class PoolReports:
    """Logs and counts for one pool."""

    def __init__(self, namespace: str, metrics: Metrics) -> None:
        self._namespace = namespace
        self._metrics = metrics
        self._log = structlog.get_logger("coordinator.pool").bind(namespace=namespace)
        self.streams = StreamReports(self._log)

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
        """The slot of a dead holder is being taken back."""
        self._log.warning(
            "reclaim", node=node, claim=command.claim, load=command.load, reason=command.reason
        )
        self._metrics.reclaimed(self._namespace, command.kind)

    def examined(self, node: str, command: m.Examine, verdict: m.Verdict) -> None:
        """A silent claim's Pod was looked at."""
        pod = f"{command.pod.namespace}/{command.pod.name}"
        self._log.info(
            "silent holder", node=node, claim=command.claim, pod=pod, verdict=verdict.value
        )

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

"""A picture and a report as plain data for `-o json`; the keys are stable. Times are seconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coordinator.observe.measure import Measures, Waits
    from coordinator.observe.picture import NodeView, Picture
    from coordinator.observe.report import NodeReport, Report
    from coordinator.observe.runs import Run

Json = dict[str, Any]


def picture(seen: Picture) -> Json:
    """One look."""
    return {
        "namespace": seen.namespace,
        "taken": round(seen.taken, 3),
        "velero": seen.velero,
        "kubernetes": seen.kubernetes,
        "limitsFrom": seen.source,
        "nodes": [_node(node) for node in seen.nodes],
        "movers": [_mover(run, seen.taken) for run in seen.present],
        "ended": len(seen.runs) - len(seen.present),
        "findings": list(seen.findings),
        "notSeen": list(seen.unread),
    }


def report(found: Report) -> Json:
    """The figures of a recording."""
    return {
        "namespace": found.namespace,
        "limitsFrom": found.source,
        "recorded": [{"from": begin, "to": end} for begin, end in found.parts],
        "every": found.every,
        "startup": found.startup,
        "nodes": [_node_report(node) for node in found.nodes],
        "asItWas": _measures(found.was),
        "withNodeSlots": _measures(found.would),
        "notKnown": list(found.unknown),
    }


def _node(node: NodeView) -> Json:
    return {
        "name": node.name,
        "limit": node.limit,
        "decidedBy": node.why,
        "moving": node.moving,
        "idle": node.idle,
        "waiting": node.waiting,
        "longestWait": round(node.longest, 3),
        "over": node.over,
        "remark": node.remark,
    }


def _mover(run: Run, now: float) -> Json:
    return {
        "name": run.name,
        "kind": run.kind.value,
        "node": run.node,
        "of": run.owner,
        "state": run.stage.value,
        "governed": run.governed,
        "asked": run.asked,
        "up": run.up,
        "moving": run.moving,
        "waited": round(run.waited(now), 3),
    }


def _node_report(node: NodeReport) -> Json:
    return {
        "name": node.name,
        "limits": [{"from": at, "limit": limit} for at, limit in node.steps],
        "mostContainers": node.up_most,
        "asItWas": _measures(node.was),
        "withNodeSlots": _measures(node.would) if node.would else None,
    }


def _measures(its: Measures) -> Json:
    return {
        "movers": its.waits.count,
        "mostAtOnce": its.most,
        "overlaps": {"times": its.overlaps, "seconds": its.over_seconds, "most": its.over_most},
        "idleSlotSeconds": its.idle,
        "busySeconds": its.busy,
        "waits": _waits(its.waits),
        "backupWaits": _waits(its.backups),
        "restoreWaits": _waits(its.restores),
    }


def _waits(its: Waits) -> Json:
    return asdict(its)

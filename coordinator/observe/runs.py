"""A mover's life: its work (the custom resource) and its Pod, joined by name. Pure.

Two things are kept apart, since Velero's own limiter does: a mover is *up* while its container
runs, and *moving* while Velero lets it move data (`InProgress`). With that limiter a mover may be
up and idle; under node-slots its container starts when it has a slot, and never idles.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.core.movers import Kind
    from coordinator.velero.world import Mover, Work

_OVER = frozenset({"Completed", "Failed", "Canceled"})
_UNDER_WAY = frozenset({"InProgress", "Canceling"})


class Stage(Enum):
    """Where a mover stands; the value is what people read."""

    NEW = "not accepted"
    """Velero holds it back (`prepareQueueLength`), or has not come to it yet."""
    WAITING = "waiting"
    """Accepted, or its Pod is there, but its container has not started."""
    IDLE = "up, idle"
    """Its container runs, and Velero's own limiter lets it move nothing yet."""
    MOVING = "moving"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Run:
    """One mover's life as far as it was seen. Times are seconds since 1970, None where unknown."""

    name: str
    kind: Kind
    node: str
    """"" until that is decided."""
    owner: str
    """The Backup or Restore; "" where only its Pod was seen."""
    stage: Stage
    outcome: str
    """The phase that Velero gave it, such as Completed; "" where only its Pod was seen."""
    governed: bool
    asked: float
    """When Velero asked for it."""
    ready: float
    """When its Pod could have been made: asked, and what Velero does first (as a snapshot)."""
    up: float | None = None
    moving: float | None = None
    done: float | None = None
    """When it moved no more."""
    down: float | None = None
    """When its container ended."""
    pod: str = ""
    """The Pod's uid, where it was seen."""

    @property
    def id(self) -> str:
        """Tells it from every other run."""
        return f"{self.kind.value}/{self.name}"

    @property
    def present(self) -> bool:
        """Whether it is not over."""
        return self.stage is not Stage.ENDED

    def waited(self, now: float) -> float:
        """Seconds from being ready until it moved, or until it ended, or until now."""
        ends = [end for end in (self.moving, self.done, now) if end is not None]
        return max(0.0, ends[0] - self.ready)


def join(works: Iterable[Work], movers: Iterable[Mover]) -> list[Run]:
    """The runs, by the time at which they were asked for."""
    pods = {(mover.kind, mover.name): mover for mover in movers}
    found = [_of_work(work, pods.pop((work.kind, work.name), None)) for work in works]
    found += [_of_pod(mover) for mover in pods.values()]
    return sorted(found, key=lambda run: (run.asked, run.id))


def _of_work(work: Work, pod: Mover | None) -> Run:
    preparing = pod.created - work.accepted if pod and work.accepted is not None else 0.0
    up, down = (pod.started, pod.ended) if pod else (None, None)
    moving = _moving(work, up)
    ends = [end for end in (work.completed, down) if end is not None]
    return Run(
        name=work.name,
        kind=work.kind,
        node=work.node or (pod.node if pod else ""),
        owner=work.owner,
        stage=_stage(work, pod),
        outcome=work.phase,
        governed=bool(pod and pod.governed),
        asked=work.created,
        ready=work.created + max(0.0, preparing),
        up=up,
        moving=moving,
        done=min(ends, default=None),
        down=down,
        pod=pod.uid if pod else "",
    )


def _of_pod(pod: Mover) -> Run:
    """Nobody may read its work: its container is all that is known."""
    running = Stage.MOVING if pod.ended is None else Stage.ENDED
    over = pod.phase in ("Succeeded", "Failed")
    stage = running if pod.started is not None else Stage.ENDED if over else Stage.WAITING
    return Run(
        name=pod.name,
        kind=pod.kind,
        node=pod.node,
        owner="",
        stage=stage,
        outcome="",
        governed=pod.governed,
        asked=pod.created,
        ready=pod.created,
        up=pod.started,
        moving=pod.started,
        done=pod.ended,
        down=pod.ended,
        pod=pod.uid,
    )


def _moving(work: Work, up: float | None) -> float | None:
    """When data began to move.

    Velero gives a work that fails before it starts one time as its start and its end
    (`pkg/controller`, where `StartTimestamp.IsZero()`).
    """
    if work.started is None:
        return None
    never = work.phase in ("Failed", "Canceled") and work.started == work.completed
    return None if never else max(work.started, up or work.started)


def _stage(work: Work, pod: Mover | None) -> Stage:
    running = bool(pod and pod.started is not None and pod.ended is None)
    if pod and pod.ended is not None:
        return Stage.ENDED
    if work.phase in _OVER:
        return Stage.MOVING if running else Stage.ENDED  # a canceled mover lives on for a moment
    if work.phase in _UNDER_WAY:
        return Stage.MOVING
    if running or work.phase == "Prepared":
        return Stage.IDLE
    return Stage.WAITING if pod or work.phase == "Accepted" else Stage.NEW

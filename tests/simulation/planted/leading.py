"""Mistakes about who leads, until when, and what a new leader begins with."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from coordinator.kube import errors
from coordinator.kube.candidate import Candidate
from coordinator.kube.election import Elector
from coordinator.kube.leases import leases_path
from coordinator.kube.reflector import Changed, Deleted, Listed
from coordinator.service.coordinator import Coordinator
from coordinator.service.leadership import Leadership
from coordinator.service.lists import placed
from coordinator.service.pool import Pool
from coordinator.service.reign import Reign

if TYPE_CHECKING:
    from coordinator.kube.reflector import Reflector, StreamEvent
    from tests.simulation.planted.bug import Patch


def no_look_after_an_await(patch: Patch) -> None:
    """Leadership is checked when a request comes, and not again before its answer goes."""
    patch.setattr(Leadership, "require", lambda leadership: None)


def leadership_is_a_flag(patch: Patch) -> None:
    """A leader leads until a task of its own notices that its time is over."""
    patch.setattr(Leadership, "holds", property(lambda leadership: not leadership._ended))


def deadline_counts_from_the_answer(patch: Patch) -> None:
    """The ten seconds begin when the election write's answer comes, not when it was sent."""
    real = Candidate.wrote

    def wrote(candidate: Candidate, base: Any, record: Any, sent: float, now: float) -> None:
        real(candidate, base, record, now, now)

    patch.setattr(Candidate, "wrote", wrote)


def unknown_renewals_extend(patch: Patch) -> None:
    """A renewal of unknown outcome is taken for a good one."""
    real = Elector._failed

    def failed(elector: Elector, error: errors.ApiError, sent: float) -> None:
        real(elector, error, sent)
        candidate = elector._candidate
        if isinstance(error, errors.UnknownOutcome) and candidate.deadline > sent:
            candidate.deadline = max(candidate.deadline, sent + elector._timing.renew)

    patch.setattr(Elector, "_failed", failed)


def silent_leaders_are_deposed_early(patch: Patch) -> None:
    """Others leave a silent leader alone for less time than it counts upon."""
    patch.setattr(Candidate, "_patience", lambda candidate, record: 6.0)


def serving_before_the_first_list(patch: Patch) -> None:
    """A new leader answers before it has listed the Leases: 204 to whom it does not know."""

    def ready(pool: Pool) -> str:
        return "the coordinator is shutting down" if pool._stopping else pool._limits.trouble()

    patch.setattr(Pool, "ready", ready)


def doubtful_writes_are_left_behind(patch: Patch) -> None:
    """A stopping leader hands leadership on while a write of its own may still take effect."""

    async def settle(reign: Reign) -> bool:
        return True

    patch.setattr(Reign, "settle", settle)


class _Informer:
    """A follower's picture of the Leases, for the day when it leads."""

    def __init__(self, reflector: Reflector) -> None:
        self.reflector = reflector
        self.version = ""
        self._items: dict[str, Any] = {}
        self._pool: Pool | None = None

    def take(self, event: StreamEvent) -> None:
        match event:
            case Listed():
                self.version = event.version
                self._items = {obj["metadata"]["name"]: obj for obj in event.items}
            case Changed():
                self._items[event.obj["metadata"]["name"]] = event.obj
            case Deleted():
                self._items.pop(event.obj["metadata"]["name"], None)
        if self._pool is not None:
            self._pool.take(_read(event))

    def serve(self, pool: Pool, now: float) -> None:
        self._pool = pool
        pool._hands = replace(pool._hands, relist=self.reflector.relist_now)
        pool.take(_read(Listed(list(self._items.values()), self.version, now)))


def _read(event: StreamEvent) -> StreamEvent:
    """As the pool's own reflector tells of a list."""
    if isinstance(event, Listed):
        return replace(event, items=list(map(placed, event.items)))
    return event


def takeover_from_the_cache(patch: Patch) -> None:
    """A new leader begins with the Leases as its watch had them before the election write."""
    informers: dict[int, dict[str, _Informer]] = {}
    enter, begin = Coordinator.__aenter__, Reign.begin

    async def enter_watching(coordinator: Coordinator) -> Coordinator:
        found = await enter(coordinator)
        ours = informers[id(coordinator._tools.client)] = {}
        for namespace in coordinator._reports:
            reflector = coordinator._tools.reflector(leases_path(namespace))
            ours[namespace] = _Informer(reflector)
            coordinator._spawn(reflector.run(ours[namespace].take))
        return found

    def begin_from_cache(reign: Reign) -> None:
        ours = informers.get(id(reign._tools.client), {})
        if ours and all(one.version for one in ours.values()):
            reign._streams = [
                (pods, partial(reign._take_pods, namespace))
                for namespace, pods in reign._pods.items()
            ]
            begin(reign)
            for namespace, pool in reign.pools.items():
                ours[namespace].serve(pool, reign._tools.clock.now())
        else:
            begin(reign)

    patch.setattr(Coordinator, "__aenter__", enter_watching)
    patch.setattr(Reign, "begin", begin_from_cache)


ALL = (
    no_look_after_an_await,
    leadership_is_a_flag,
    deadline_counts_from_the_answer,
    unknown_renewals_extend,
    silent_leaders_are_deposed_early,
    serving_before_the_first_list,
    doubtful_writes_are_left_behind,
    takeover_from_the_cache,
)

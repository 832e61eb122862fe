"""A queueing simulation of saturated cycles: cores that take turns, a coordinator that has one."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU milliseconds of one saturated cycle, by who spends them."""

    coordinator: float
    api_server: float
    etcd: float
    load: float

    @property
    def server(self) -> float:
        """The API server's with its etcd's."""
        return self.api_server + self.etcd

    def bound(self, cores: int) -> float:
        """Cycles per second at best: by the coordinator's one core, or by all of them together."""
        whole = self.coordinator + self.server + self.load
        return 1000 / max(self.coordinator, whole / cores)


@dataclass(frozen=True, slots=True)
class Played:
    """What came out: cycles per second, and the mean time of one in milliseconds."""

    per_second: float
    mean: float


@dataclass(slots=True)
class _Step:
    """A piece of work of one agent's cycle. What is `serial` is the coordinator's one thread's."""

    agent: int
    number: int
    seconds: float
    serial: bool


class _Machine:
    """Cores that take the steps in the order in which they come."""

    def __init__(self, costs: Costs, cores: int) -> None:
        half = costs.coordinator / 2000  # the release is taken in; the grant is told
        self._steps = (
            (half, True),
            (costs.server / 1000, False),
            (half, True),
            (costs.load / 1000, False),
        )
        self._free = cores
        self._thread_free = True
        self._waiting: deque[_Step] = deque()
        self._running: list[tuple[float, int, _Step]] = []
        self._order = count()
        self.now = 0.0

    def add(self, agent: int, number: int = 0) -> None:
        """The agent's next step waits for a core."""
        seconds, serial = self._steps[number]
        self._waiting.append(_Step(agent, number, seconds, serial))

    def advance(self) -> bool:
        """Up to the end of the next step, after which its agent's next one waits. Whether that was
        a cycle's end.
        """
        self._begin()
        self.now, _, step = heapq.heappop(self._running)
        self._free += 1
        self._thread_free |= step.serial
        following = (step.number + 1) % len(self._steps)
        self.add(step.agent, following)
        return following == 0

    def _begin(self) -> None:
        passed_over: deque[_Step] = deque()
        while self._waiting and self._free:
            step = self._waiting.popleft()
            if step.serial and not self._thread_free:
                passed_over.append(step)
                continue
            self._thread_free &= not step.serial
            self._free -= 1
            heapq.heappush(self._running, (self.now + step.seconds, next(self._order), step))
        self._waiting.extendleft(reversed(passed_over))


def saturated(costs: Costs, *, cores: int, agents: int, cycles: int = 5_000) -> Played:
    """So many agents, each of which begins a cycle as soon as its last one ended."""
    machine = _Machine(costs, cores)
    for agent in range(agents):
        machine.add(agent)
    done = 0
    while done < cycles:
        done += machine.advance()
    per_second = cycles / machine.now
    return Played(per_second, 1000 * agents / per_second)

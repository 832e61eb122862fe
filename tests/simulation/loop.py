"""A virtual-time event loop with processes: what one does can be held back or dropped for ever.

Time moves only when nothing is left to do, straight to the next timer. There is no selector, no
socket and no thread, so one seed decides everything. A callback belongs to the process that is set
in its context; the world outside of all processes (networks, the API server, operators) is `None`.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

TICK = 1e-6
"""Seconds that pass at least between two rounds of timers: a wait of 1e-12 s is no standstill."""
MOST_ROUNDS = 20_000
"""Rounds of the loop without time passing after which something spins."""


class Mode(Enum):
    """What becomes of a process's callbacks."""

    RUNNING = "running"
    PAUSED = "paused"
    DEAD = "dead"


class Process:
    """One operating-system process: its clocks, and whether it runs.

    Its boot clock has an origin of its own, so that two processes' clocks cannot be compared.
    """

    def __init__(self, name: str, loop: VirtualLoop, origin: float) -> None:
        self.name = name
        self.mode = Mode.RUNNING
        self.context = contextvars.copy_context()
        self.context.run(PROCESS.set, self)
        self.stopped = 0.0
        """Seconds that it has been paused in all."""
        self._loop = loop
        self._origin = origin
        self._since = 0.0
        self._held: list[asyncio.Handle] = []
        self.visits: dict[Any, None] = {}
        """Requests that have come to it and are not answered."""
        self.calls: dict[Any, None] = {}
        """Requests of its own that wait for their answers."""

    def now(self) -> float:
        """Seconds on its CLOCK_BOOTTIME: it goes on while the process is paused."""
        return self._origin + self._loop.time()

    def at(self, moment: float) -> float:
        """The world's time of a moment on its clock."""
        return moment - self._origin

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something in this process."""
        task: asyncio.Task[T] = self._loop.create_task(work, context=self.context.copy())
        return task

    def pause(self) -> None:
        """SIGSTOP."""
        if self.mode is Mode.RUNNING:
            self.mode, self._since = Mode.PAUSED, self._loop.time()

    def resume(self) -> None:
        """SIGCONT: what became ready meanwhile runs now, in the order in which it did."""
        if self.mode is Mode.PAUSED:
            self.mode = Mode.RUNNING
            self.stopped += self._loop.time() - self._since
            held, self._held = self._held, []
            self._loop.ready(held)

    def kill(self) -> None:
        """SIGKILL, at whatever await it stands."""
        self.mode, self._held = Mode.DEAD, []

    def paused_for(self) -> float:
        """Seconds that it has been paused in all, until now."""
        now = self._loop.time() - self._since if self.mode is Mode.PAUSED else 0.0
        return self.stopped + now

    def keep(self, handle: asyncio.Handle) -> None:
        """A callback came up while it does not run."""
        if self.mode is Mode.PAUSED:
            self._held.append(handle)


PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("PROCESS", default=None)


class SimTask(asyncio.Task[Any]):
    """A task with a hash of its own: sets of tasks are walked in the same order in every run."""

    def __init__(self, work: Any, *, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(work, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class SpinsError(RuntimeError):
    """Something runs for ever without time passing."""


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module. `tasks` holds every task that is not done, in the order of their making."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._now = 0.0
        self._made = 0
        self._rounds = 0

    def time(self) -> float:
        return self._now

    def ready(self, handles: list[asyncio.Handle]) -> None:
        """Callbacks that were held back go on."""
        self._ready.extend(handles)  # type: ignore[attr-defined]

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Any:
        self._made += 1
        task = SimTask(coro, number=self._made, loop=self, name=name or "", context=context)
        self.tasks[task] = None
        task.add_done_callback(self._forget, context=_NOBODY)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self.tasks.pop(task, None)

    def in_world(self, delay: float, callback: Callable[..., object], *args: Any) -> None:
        """Call back after `delay` seconds, whatever happens to the process that asked for it."""
        self.call_at(self._now + delay, callback, *args, context=_NOBODY)

    def _run_once(self) -> None:
        ready = self._ready  # type: ignore[attr-defined]
        if not ready:
            self._pass_time()
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            raise SpinsError(f"{MOST_ROUNDS} rounds at {self._now:.6f} s; ready: {list(ready)[:5]}")
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            process = handle._context.get(PROCESS)
            if process is None or process.mode is Mode.RUNNING:
                handle._run()
            else:
                process.keep(handle)

    def _pass_time(self) -> None:
        """On to the next timer."""
        timers = self._scheduled  # type: ignore[attr-defined]
        self._sweep_out(timers)
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
            self._timer_cancelled_count -= 1
        if not timers:
            raise RuntimeError("everything waits and no timer is set: this would hang for ever")
        self._now = max(self._now + TICK, timers[0]._when)
        self._rounds = 0
        while timers and timers[0]._when <= self._now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            self._ready.append(timer)  # type: ignore[attr-defined]

    def _sweep_out(self, timers: list[Any]) -> None:
        """Most timeouts are cancelled: do not carry them along until they are due."""
        if self._timer_cancelled_count > 100 and self._timer_cancelled_count * 2 > len(timers):
            kept = [timer for timer in timers if not timer._cancelled]
            heapq.heapify(kept)
            timers[:] = kept
            self._timer_cancelled_count = 0

    _timer_cancelled_count: int

    def _write_to_self(self) -> None:
        """Nobody sleeps in a selector."""

    def dispose(self) -> None:
        """End every task that is left, those of dead processes too, without a word."""
        self.set_exception_handler(lambda _loop, _context: None)
        for task in list(self.tasks):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        for task in list(self.tasks):
            _close(task)
        self.tasks.clear()
        self.close()


_NOBODY = contextvars.Context()


def _close(task: asyncio.Task[Any]) -> None:
    work: Any = task.get_coro()
    try:
        work.close()
    except BaseException:  # noqa: BLE001 - whatever a dead process still had to say
        return

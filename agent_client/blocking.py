"""The twin for code without asyncio: `with BlockingSlotClient().slot(load="scan-3") as slot:`.

The asyncio client runs in a background thread, so renewals go on whatever the body does.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from agent_client.client import SlotClient
from agent_client.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from agent_client.asking import Asking
    from agent_client.slot import Slot

T = TypeVar("T")


class BlockingSlotClient:
    """As `SlotClient`, with the same arguments and errors, for threads instead of tasks.

    Its slots' `lost` and `unconfirmed` are `threading.Event`s. May be used from several threads.
    Used inline, the background thread ends with the last slot; used as `with
    BlockingSlotClient() as client`, with the block.
    """

    def __init__(self, url: str | None = None, **settings: Any) -> None:
        self._make: Callable[[], SlotClient] = lambda: SlotClient(url, **settings)
        Settings.resolve(url=url, **_only_settings(settings))  # a mistake shows here, not later
        self._lock = threading.Lock()
        self._users = 0
        self._loop: _LoopThread | None = None

    def __enter__(self) -> Self:
        self._acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    @contextmanager
    def slot(self, *, load: str, **asking: Unpack[Asking]) -> Iterator[Slot[threading.Event]]:
        """A slot for `load`; entering waits for the grant. See `SlotClient.slot`.

        `on_queued` is called in the background thread. A KeyboardInterrupt, while waiting or in
        the body, leaves the queue or gives the slot back.
        """
        loop = self._acquire()
        try:
            taking = loop.client.taking(threading.Event, load, asking)
            try:
                yield loop.call(taking.__aenter__())
            finally:  # also when an interrupt came just after the grant
                loop.call(taking.__aexit__(None, None, None))
        finally:
            self._release()

    def _acquire(self) -> _LoopThread:
        with self._lock:
            if self._loop is None:
                self._loop = _LoopThread(self._make)
            self._users += 1
            return self._loop

    def _release(self) -> None:
        with self._lock:
            self._users -= 1
            loop = self._loop
            if self._users or loop is None:
                return
            self._loop = None
        loop.stop()


class _LoopThread:
    """An event loop of its own with one client in it."""

    def __init__(self, make: Callable[[], SlotClient]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="node-slots", daemon=True)
        self._thread.start()
        self.client = self.call(_entered(make))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The outcome of `work`. An interrupt cancels it, and waits for what it then cleans up."""
        outcome: Future[T] = Future()
        tasks: list[asyncio.Task[T]] = []

        def start() -> None:
            tasks.append(self._loop.create_task(work))
            tasks[0].add_done_callback(lambda task: _hand_over(task, outcome))

        def cancel() -> None:
            tasks[0].cancel()

        self._loop.call_soon_threadsafe(start)
        try:
            return outcome.result()
        except BaseException:
            if not outcome.done():
                self._loop.call_soon_threadsafe(cancel)
                wait([outcome])
            raise

    def stop(self) -> None:
        """Close the client and end the thread."""
        self.call(self.client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()


async def _entered(make: Callable[[], SlotClient]) -> SlotClient:
    return await make().__aenter__()


def _hand_over(task: asyncio.Task[T], outcome: Future[T]) -> None:
    if task.cancelled():
        outcome.set_exception(RuntimeError("interrupted"))
    elif (error := task.exception()) is not None:
        outcome.set_exception(error)
    else:
        outcome.set_result(task.result())


def _only_settings(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in {"transport", "clock"}}

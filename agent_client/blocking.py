"""The twin for code without asyncio: `with BlockingSlotClient().slot(load="scan-3") as slot:`.

The asyncio client runs in a background thread, so renewals go on whatever the body does. All
blocking clients of a process share that thread.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, Unpack

from agent_client.client import SlotClient
from agent_client.errors import ClientClosed
from agent_client.slot import BlockingSlot
from agent_client.thread import Shared
from agent_client.together import Several

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agent_client.asking import Asking, Wish
    from agent_client.session import Session
    from agent_client.taking import Taking
    from agent_client.thread import LoopThread
    from agent_client.together import Wanted

_shared = Shared()


class BlockingSlotClient:
    """As `SlotClient`, with the same arguments and errors, for threads instead of tasks.

    Its slots' `lost` and `unconfirmed` are `threading.Event`s. May be used from several threads.
    Used inline, the background thread ends with the last slot; used as `with
    BlockingSlotClient() as client`, with the block. Callbacks run in the background thread.
    """

    def __init__(self, url: str | None = None, **settings: Any) -> None:
        self._make: Callable[[], SlotClient] = lambda: SlotClient(url, **settings)
        self._make()  # a mistake shows here, not later
        self._lock = threading.Lock()
        self._users = 0
        self._open: _Open | None = None
        self._departed = False

    def __enter__(self) -> Self:
        self._acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    @contextmanager
    def slot(self, *, load: str, **asking: Unpack[Asking]) -> Iterator[BlockingSlot]:
        """A slot for `load`; entering waits for the grant. See `SlotClient.slot`.

        A KeyboardInterrupt, while waiting or in the body, leaves the queue or gives the slot back.
        """
        with self._opened() as opened:
            taking = opened.taking(load, asking)
            try:
                yield opened.thread.call(taking.enter())
            finally:  # also when an interrupt came just after the grant
                opened.thread.call(taking.leave())

    def wanted(self, *, load: str, **wish: Unpack[Wish]) -> BlockingWanted:
        """One slot of this client for `blocking_several`."""
        return BlockingWanted(self, load, wish)

    @contextmanager
    def slots(
        self, loads: Sequence[str], *, timeout: float | None = None, **wish: Unpack[Wish]
    ) -> Iterator[list[BlockingSlot]]:
        """A slot for each of `loads`, all of them or none; see `several`."""
        wanted = [self.wanted(load=load, **wish) for load in loads]
        with blocking_several(*wanted, timeout=timeout) as slots:
            yield slots

    def depart(self, *, within: float = 1.0) -> bool:
        """Say the last words of a process that has to go; see `SlotClient.depart`."""
        with self._lock:
            self._departed = True
            opened = self._open
        return opened is None or opened.thread.call(opened.client.depart(within=within))

    def _acquire(self) -> _Open:
        """The client at work, started where it is not; `_release` it."""
        with self._lock:
            if self._departed:
                raise ClientClosed("this client has said its last words: make a new one")
            if self._open is None:
                self._open = _Open(self._make)
            self._users += 1
            return self._open

    def _release(self) -> None:
        """The last one to go closes the connection."""
        with self._lock:
            self._users -= 1
            opened = self._open
            if self._users or opened is None:
                return
            self._open = None
        opened.close()

    @contextmanager
    def _opened(self) -> Iterator[_Open]:
        opened = self._acquire()
        try:
            yield opened
        finally:
            self._release()


class _Open:
    """One asyncio client at work in the background thread."""

    def __init__(self, make: Callable[[], SlotClient]) -> None:
        self.thread: LoopThread = _shared.acquire()
        try:
            self.client = self.thread.call(_entered(make))
        except BaseException:
            _shared.release()
            raise

    def taking(self, load: str, asking: Asking) -> Taking[BlockingSlot]:
        return self.client.taking(self._slot, load, asking)

    def wanting(self, load: str, wish: Wish) -> Wanted[BlockingSlot]:
        return self.client.wanting(self._slot, load, wish)

    def close(self) -> None:
        try:
            self.thread.call(self.client.close())
        finally:
            _shared.release()

    def _slot(
        self, session: Session, place: tuple[str, str], clock: Callable[[], float]
    ) -> BlockingSlot:
        return BlockingSlot(session, place, clock, self.thread.call)


@dataclass(frozen=True, slots=True)
class BlockingWanted:
    """One of several slots. `BlockingSlotClient.wanted` makes it."""

    client: BlockingSlotClient
    load: str
    wish: Wish


@contextmanager
def blocking_several(
    *wanted: BlockingWanted, timeout: float | None = None
) -> Iterator[list[BlockingSlot]]:
    """A slot for each of `wanted`, all of them or none; see `several`."""
    with ExitStack() as stack:
        thread = stack.enter_context(_thread())
        opened = [stack.enter_context(one.client._opened()) for one in wanted]
        each = zip(opened, wanted, strict=True)
        both = Several([client.wanting(one.load, one.wish) for client, one in each], timeout)
        try:
            yield thread.call(both.enter())
        finally:
            thread.call(both.leave())


@contextmanager
def _thread() -> Iterator[LoopThread]:
    thread = _shared.acquire()
    try:
        yield thread
    finally:
        _shared.release()


async def _entered(make: Callable[[], SlotClient]) -> SlotClient:
    return await make().__aenter__()

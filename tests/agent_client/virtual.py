"""An event loop whose time jumps to the next timer when nothing else is to be done."""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _Jumping(selectors.SelectSelector):
    """Waits never: tells the loop that the time it would have waited is over."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits and no timer is set: the test would hang")
        self.skipped += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.skipped


def now() -> float:
    """Seconds of virtual time since the test began."""
    return asyncio.get_running_loop().time()


def in_virtual_time(scenario: Coroutine[Any, Any, T], at_most: float = 3600.0) -> T:
    """Run `scenario`; more than `at_most` virtual seconds fail it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(asyncio.wait_for(scenario, at_most))

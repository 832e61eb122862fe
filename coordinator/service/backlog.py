"""Work for thousands of nodes, done in slices: everybody else gets a turn in between.

Nobody may see a node with its work undone: whoever needs one has it done at once (`bring`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    Spawn = Callable[[Coroutine[object, object, None]], object]

TURN = 0.005
"""Seconds of work before others get a turn. A request takes several turns to be answered."""


class Backlog:
    """Does `do(node)` for each node that is put in, and calls `finished` when none is left."""

    def __init__(
        self,
        do: Callable[[str], None],
        now: Callable[[], float],
        spawn: Spawn,
        finished: Callable[[], None] = lambda: None,
    ) -> None:
        self.left: set[str] = set()
        """Nodes whose work is not done; always the same set, so that it can be kept hold of."""
        self._do = do
        self._now = now
        self._spawn = spawn
        self._finished = finished
        self._order: Iterator[str] = iter(())
        self._goes_on = False

    def put(self, nodes: Iterable[str]) -> None:
        """Begin with these nodes, in that order; what was left of others is given up.

        The first slice is done before this returns: a small cluster needs no other.
        """
        order = dict.fromkeys(nodes)
        self.left.clear()
        self.left.update(order)
        self._order = iter(order)
        if not self._goes_on and self._slice():
            self._goes_on = True
            self._spawn(self._go_on())

    def bring(self, node: str) -> None:
        """Have the node's work done, if it is not."""
        if node in self.left:
            self.left.discard(node)  # before the work, which may come back here
            self._do(node)

    async def _go_on(self) -> None:
        while self._goes_on:
            await asyncio.sleep(0)
            self._goes_on = self._slice()

    def _slice(self) -> bool:
        """Work for a while. Returns whether there is more."""
        end = self._now() + TURN
        for node in self._order:
            self.bring(node)
            if self._now() >= end:
                return True
        self._finished()
        return False

"""How long loads lately held the slots of each node, as this coordinator saw it.

Fed with what happened (`happenings`); a holder whose grant it did not see tells nothing. A hold
ends with the release, or when the slot of a dead holder is taken back: what counts is for how long
the slot was in use.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from coordinator.core.happenings import HandedOver, Released

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.core.happenings import Happening

KEPT = 64
"""Durations of each node: the newest. Half a kilobyte."""
MOST_NODES = 10_000
"""Nodes with durations at most; the one that nothing was heard of for longest goes first."""


class Durations:
    """The newest durations of each node of one pool, in seconds."""

    def __init__(self) -> None:
        self._nodes: dict[str, array[float]] = {}

    def heard(self, happening: Happening) -> None:
        """Take in what happened; only ends of holding are of interest."""
        if isinstance(happening, HandedOver | Released) and happening.held is not None:
            self.add(happening.node, happening.held)

    def add(self, node: str, seconds: float) -> None:
        """A slot of the node was held for so long."""
        kept = self._nodes.pop(node, None) or array("d")
        kept.append(max(0.0, seconds))
        del kept[:-KEPT]
        self._nodes[node] = kept  # at the end: the first one is the oldest
        if len(self._nodes) > MOST_NODES:
            del self._nodes[next(iter(self._nodes))]

    def of(self, node: str) -> Sequence[float]:
        """Those of the node, the oldest first; empty where none was seen."""
        return tuple(self._nodes.get(node, ()))

    def __len__(self) -> int:
        return len(self._nodes)

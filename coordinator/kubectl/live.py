"""What `watch` shows: the nodes as they were last told, and the last news. Pure; time comes in."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coordinator.kubectl.news import line
from coordinator.kubectl.status import HEADER, busy, ordered, row
from coordinator.kubectl.table import count, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Json = dict[str, Any]

NEWS = 10
"""Lines of what happened, below the table."""
FIXED = 5
"""Lines on the screen that are neither a node nor news."""


@dataclass
class Live:
    """The picture. `told` maps a node to its numbers and the time when they were told."""

    namespace: str
    lost: str = ""
    """Why nothing is heard; "" while the stream lives."""
    news: deque[str] = field(default_factory=lambda: deque(maxlen=NEWS))
    _told: dict[str, tuple[Json, float]] = field(default_factory=dict)
    _greeted: bool = False

    def replace(self, nodes: Iterable[Json], now: float) -> None:
        """All nodes anew."""
        self._told = {one["node"]: (one, now) for one in nodes}

    def take(self, name: str, data: Any, now: float) -> bool:
        """One event. Returns whether all nodes are to be read anew."""
        if name == "node":
            self._told[data["node"]] = (data, now)
        elif name == "lost":
            self.lost = str(data.get("why") or "the stream ended")
        elif name in {"hello", "back", "reset"}:
            self.lost = ""
            # What changed between the first list and the stream's beginning is told by neither.
            first, self._greeted = not self._greeted, True
            return first or name != "hello"
        elif told := line(name, data):
            self.news.append(told)
        return False

    def nodes(self, now: float) -> Sequence[Any]:
        """The nodes in the order of the table; a wait that was told goes on."""
        return ordered(_aged(node, now - at) for node, at in self._told.values())

    def lines(self, clock: str, now: float, width: int, height: int) -> list[str]:
        """The screen's lines, none wider than it and not more than it has."""
        nodes = self.nodes(now)
        room = max(1, height - FIXED - len(self.news))
        shown = nodes if len(nodes) <= room else [one for one in nodes if busy(one)][:room]
        lines = [_head(self, nodes, clock), "", *table(HEADER, map(row, shown))]
        if left := len(nodes) - len(shown):
            lines.append(f"and {count(left, 'node')} more")
        lines += ["", *self.news] if self.news else []
        return [_cut(one, width) for one in lines][:height]


def _aged(node: Json, seconds: float) -> Json:
    waited = node.get("longestWaitSeconds")
    if not node.get("queued") or waited is None:
        return node
    return {**node, "longestWaitSeconds": waited + seconds}


def _head(live: Live, nodes: Iterable[Json], clock: str) -> str:
    """The pool's sums, or that nobody is heard."""
    sums = {key: sum(one.get(key) or 0 for one in nodes) for key in ("held", "limit", "queued")}
    told = f"{sums['held']} of {sums['limit']} slots held, {sums['queued']} waiting"
    connection = f"NOT CONNECTED: {live.lost}" if live.lost else told
    return plain(f"{live.namespace}  {clock}  {connection}")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"

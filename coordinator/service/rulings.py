"""What the ConfigMap and the operators say of each node: told to its table, and what changed.

A ruling is a node's limit, what decided it, and the reason why it is on hold. Every node has one,
also where nobody ever asked for a slot. Other rules are brought to thousands of nodes in slices;
they hold for a node from the moment when somebody needs it (`bring`).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from coordinator.core import messages as m
from coordinator.core.happenings import HoldChanged, LimitChanged
from coordinator.service.backlog import Backlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from coordinator.service.backlog import Spawn
    from coordinator.service.desk import Desk
    from coordinator.service.limits import NodeLimits
    from coordinator.service.reports import PoolReports

    Apply = Callable[[Desk, m.Event], object]

_Ruling = tuple[int, str, str]

MOST_NAMED = 20
"""Nodes that the log names after one change of rules; of the others it tells how many they are."""


class Rulings:
    """Those of one pool; `apply` feeds an event to a desk's table, `touch` is told of each node."""

    def __init__(
        self,
        desks: Mapping[str, Desk],
        limits: NodeLimits,
        reports: PoolReports,
        apply: Apply,
        touch: Callable[[str], None],
        now: Callable[[], float],
        spawn: Spawn,
    ) -> None:
        self._desks = desks
        self._limits = limits
        self._reports = reports
        self._apply = apply
        self._touch = touch
        self._known: dict[str, _Ruling] = {}
        self._changes = 0
        """How many nodes in use have another limit by the newest change of rules, so far."""
        self._backlog = Backlog(self._change_of_rules, now, spawn, self._told_all)
        self.left = self._backlog.left
        """Nodes whose table has not been told what other rules mean to it."""
        self.bring = self._backlog.bring

    def set(self, desk: Desk) -> None:
        """Tell a new desk's table what holds for its node, once that is known."""
        if not self._limits.trouble():
            self._rule(desk, self._now(desk.table.node))

    def changed(self) -> None:
        """Other rules are in force, or the limits are known now."""
        if not self._limits.trouble():
            self._backlog.put(chain(self._limits.nodes.names(), self._known, self._desks))

    def node_changed(self, node: str) -> None:
        """The node came, went, or its labels or hold annotation changed."""
        if not self._limits.trouble():
            self._change(node, logged=True)

    def _change_of_rules(self, node: str) -> None:
        self._changes += self._change(node, logged=self._changes < MOST_NAMED)

    def _told_all(self) -> None:
        if self._changes > MOST_NAMED:
            self._reports.more_limits_changed(self._changes - MOST_NAMED)
        self._changes = 0

    def _change(self, node: str, *, logged: bool) -> bool:
        """Tell the table what holds for its node now, and others what is new about that.

        Returns whether the limit of a node in use is another one; only then the log may name it.
        """
        ruling, desk = self._now(node), self._desks.get(node)
        before = self._known.get(node)
        if desk is not None:
            before = self._of(desk) or before
        self._remember(node, ruling)
        if before != ruling:
            self._touch(node)
        moved = before is not None and self._tell(node, before, ruling, logged and desk is not None)
        if desk is not None:
            self._rule(desk, ruling)
        return moved and desk is not None

    def _now(self, node: str) -> _Ruling:
        return (*self._limits.limit(node), self._limits.hold(node))

    def _of(self, desk: Desk) -> _Ruling | None:
        table = desk.table
        return (table.limit, table.limit_reason, table.on_hold) if table.limit_known else None

    def _remember(self, node: str, ruling: _Ruling) -> None:
        if self._limits.nodes.get(node) is None:
            self._known.pop(node, None)
        else:
            self._known[node] = ruling

    def _tell(self, node: str, before: _Ruling, now: _Ruling, logged: bool) -> bool:
        """Say what is new, and return whether the limit is."""
        moved = before[:2] != now[:2]
        if moved:
            change = LimitChanged(node, before[0], now[0], now[1])
            self._reports.limit_changed(change, logged=logged)
        if before[2] != now[2]:
            self._reports.tell(HoldChanged(node, now[2]))
        return moved

    def _rule(self, desk: Desk, ruling: _Ruling) -> None:
        limit, why, hold = ruling
        table = desk.table
        if not table.limit_known or (limit, why) != (table.limit, table.limit_reason):
            self._apply(desk, m.SetLimit(limit, why))
            if limit == 0:  # no use waiting any longer: whoever does is told why
                desk.dismiss_all()
        if hold != table.on_hold:
            self._apply(desk, m.SetHold(hold))

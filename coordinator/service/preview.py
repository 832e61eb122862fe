"""Tries rules out on the nodes of a pool, while everything else goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from coordinator.core.listing import count_held
from coordinator.core.preview import Preview

if TYPE_CHECKING:
    from collections.abc import Callable

    from coordinator.core.limits import LimitRules
    from coordinator.core.slots import NodeTable
    from coordinator.service.limits import NodeLimits

WORK = 10_000
"""Rules looked at before others get a turn: some milliseconds."""


class Previews:
    """Those of one pool. `table` is a node's, None where nobody ever asked for a slot."""

    def __init__(self, limits: NodeLimits, table: Callable[[str], NodeTable | None]) -> None:
        self._limits = limits
        self._table = table

    async def of(self, rules: LimitRules) -> Preview:
        """What these rules would change."""
        made, at_once = Preview(rules), max(1, WORK // (len(rules.rules) + 10))
        for number, node in enumerate(sorted(self._limits.nodes.names())):
            if number % at_once == at_once - 1:
                await asyncio.sleep(0)
            self._add(made, node)
        return made

    async def in_force(self) -> Preview:
        """What the rules that are in force match."""
        return await self.of(self._limits.keeper.state.rules)

    def _add(self, made: Preview, node: str) -> None:
        facts, table = self._limits.nodes.get(node), self._table(node)
        if facts is None:  # gone since
            return
        held = count_held(table) if table else 0
        made.add(node, facts.labels, self._limits.limit(node)[0], held)

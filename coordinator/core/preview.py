"""What other rules would do to the nodes that there are, node by node; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coordinator.core.limits import Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.core.limits import LimitRules

MOST_NAMED = 500
"""Changes that are told one by one; of the others only their number."""


@dataclass(frozen=True, slots=True)
class Change:
    """A node whose limit would be another one. `over` holders would be past it."""

    node: str
    before: int
    after: int
    decided_by: str
    held: int
    over: int


@dataclass(slots=True)
class RuleUse:
    """A rule, how many nodes it matches, and of how many it decides the limit."""

    rule: Rule
    matches: int = 0
    decides: int = 0


@dataclass(slots=True)
class Preview:
    """The rules held against every node that was `add`ed."""

    rules: LimitRules
    nodes: int = 0
    changed: list[Change] = field(default_factory=list)
    """The first `MOST_NAMED`, in the order in which the nodes were added."""
    changed_count: int = 0
    over_nodes: int = 0
    """Nodes with more holders than they would have slots."""
    over_holders: int = 0
    """How many holders that would be too many; nobody of them is evicted."""
    uses: list[RuleUse] = field(init=False)
    """Every rule in the file's order."""

    def __post_init__(self) -> None:
        self.uses = [RuleUse(rule) for rule in self.rules.rules]

    @property
    def unmatched(self) -> list[Rule]:
        """The rules that count, and match no node."""
        return [use.rule for use in self.uses if not use.matches and not use.rule.void]

    def add(self, node: str, labels: Mapping[str, str], before: int, held: int) -> None:
        """A node with these labels, whose limit is `before` now and of whose slots `held` are."""
        found = self.rules.resolve(labels)
        self.nodes += 1
        for rule in found.matched:
            self.uses[rule.index].matches += 1
        if isinstance(found.decided_by, Rule):
            self.uses[found.decided_by.index].decides += 1
        over = max(0, held - found.limit)
        self.over_nodes += over > 0
        self.over_holders += over
        if found.limit != before:
            self.changed_count += 1
            if len(self.changed) < MOST_NAMED:
                change = Change(node, before, found.limit, found.why, held, over)
                self.changed.append(change)

"""Each node's limit in one pool: the rules in force applied to the labels that it has now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.core.limits import Resolution, Skipped
    from coordinator.service.config import ConfigKeeper
    from coordinator.service.nodes import Nodes

GONE = "the node is gone"


class NodeLimits:
    """Joins the nodes and the ConfigMap; keeps nothing of its own."""

    def __init__(self, nodes: Nodes, keeper: ConfigKeeper) -> None:
        self.nodes = nodes
        self.keeper = keeper

    def resolution(self, node: str) -> Resolution | None:
        """The limit and how it came about; None for a node that is gone."""
        facts = self.nodes.get(node)
        return self.keeper.state.rules.resolve(facts.labels) if facts else None

    def skipped(self, node: str) -> tuple[Skipped, ...]:
        """The rules that have no say for the node, each with the reason."""
        facts = self.nodes.get(node)
        return self.keeper.state.rules.skipped(facts.labels) if facts else ()

    def limit(self, node: str) -> tuple[int, str]:
        """The limit and what decided it; 0 for a node that is gone."""
        found = self.resolution(node)
        return (found.limit, found.why) if found else (0, GONE)

    def hold(self, node: str) -> str:
        """The reason in the node's hold annotation; "" while it grants."""
        facts = self.nodes.get(node)
        return facts.hold if facts else ""

    def trouble(self) -> str:
        """Why no limit is known yet; "" once they are."""
        state = self.keeper.state
        if not self.nodes.listed:
            return f"Nodes: {self.nodes.trouble}"
        return "" if state.known else f"ConfigMap {state.config_map}: {self.keeper.trouble}"

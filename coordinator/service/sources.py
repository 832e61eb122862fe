"""What every replica watches, whether it leads or not: the Nodes, and each pool's ConfigMap.

So a new leader knows the limits that it knew as a follower (promise P11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coordinator.kube.calls import resource_path
from coordinator.kube.reflector import Broken, Changed, Deleted, Listed
from coordinator.service.config import ConfigKeeper
from coordinator.service.limits import NodeLimits
from coordinator.service.nodes import Nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coordinator.kube.reflector import StreamEvent
    from coordinator.service.reports import PoolReports, StreamReports
    from coordinator.service.tools import Stream, Tools


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Which ConfigMap rules which namespace; without one every limit is 1."""

    namespace: str
    config_map: str | None = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who is told when a limit may be another one."""

    node: Callable[[str], None]
    """A node came, went, or its labels or hold annotation changed."""
    nodes: Callable[[], None]
    """All nodes were listed: one that is gone is known to be gone only now."""
    config: Callable[[str], None]
    """Other rules are in force in this namespace."""
    refused: Callable[[str, str], None]
    """In this namespace the newest text was not taken, and why."""


class Sources:
    """The limits of every pool, by namespace, and the streams that keep them true."""

    def __init__(
        self,
        tools: Tools,
        specs: Sequence[PoolSpec],
        reports: dict[str, PoolReports],
        node_reports: StreamReports,
        listeners: Listeners,
    ) -> None:
        self._tools = tools
        self._listeners = listeners
        self._node_reports = node_reports
        self._nodes = Nodes(tools.clock.now, listeners.node)
        self.streams: list[Stream] = [
            (tools.reflector(resource_path("nodes"), metadata_only=True), self._take_nodes)
        ]
        self.limits: dict[str, NodeLimits] = {}
        for spec in specs:
            self._add(spec, reports[spec.namespace])

    def _add(self, spec: PoolSpec, reports: PoolReports) -> None:
        keeper = ConfigKeeper(
            spec.config_map,
            stamp=self._tools.clock.stamp,
            changed=lambda: self._listeners.config(spec.namespace),
            refused=lambda message: self._listeners.refused(spec.namespace, message),
        )
        self.limits[spec.namespace] = NodeLimits(self._nodes, keeper)
        if spec.config_map is not None:
            self.streams.append(self._config_stream(spec, keeper, reports))

    def _config_stream(self, spec: PoolSpec, keeper: ConfigKeeper, reports: PoolReports) -> Stream:
        params = {"fieldSelector": f"metadata.name={spec.config_map}"}
        path = resource_path("configmaps", spec.namespace)

        def take(event: StreamEvent) -> None:
            reports.streams.heard("configmaps", event)
            match event:
                case Listed():
                    keeper.present(event.items[0]) if event.items else keeper.missing()
                case Changed():
                    keeper.present(event.obj)
                case Deleted():
                    keeper.missing()
                case Broken():
                    keeper.trouble = str(event.error)

        return self._tools.reflector(path, params=params), take

    def _take_nodes(self, event: StreamEvent) -> None:
        self._node_reports.heard("nodes", event)
        self._nodes.take(event)
        if isinstance(event, Listed):
            self._listeners.nodes()

"""The plugin's way to the API server and to the coordinator, with the user's own kubeconfig.

    async with connect(options) as cluster:
        coordinator = await cluster.coordinator()
        nodes = await coordinator.get("/v1/namespaces/velero/nodes")

Every name here is loaded on first use: the command line's help needs none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.kubectl.connect.cluster import Cluster, connect
    from coordinator.kubectl.connect.coordinator import Coordinator
    from coordinator.kubectl.connect.dashboard import serve_dashboard
    from coordinator.kubectl.connect.errors import Refused, Unreachable
    from coordinator.kubectl.connect.events import Event
    from coordinator.kubectl.connect.options import Options, add_options, options_of

__all__ = [
    "Cluster",
    "Coordinator",
    "Event",
    "Options",
    "Refused",
    "Unreachable",
    "add_options",
    "connect",
    "options_of",
    "serve_dashboard",
]

_HOMES = {
    "cluster": ("Cluster", "connect"),
    "coordinator": ("Coordinator",),
    "dashboard": ("serve_dashboard",),
    "errors": ("Refused", "Unreachable"),
    "events": ("Event",),
    "options": ("Options", "add_options", "options_of"),
}
"""Which module each name comes from."""


def __getattr__(name: str) -> object:
    from importlib import import_module

    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

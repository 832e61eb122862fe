"""The kinds that are served, and the rules of each (the real server calls them strategies)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resource:
    """One kind under one group and version."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    create_on_update: bool = False
    unconditional_update: bool = True
    has_status: bool = False
    graceful: bool = False
    name_is_label: bool = False
    fields: tuple[str, ...] = ()
    """What a field selector may name, besides ``metadata.name`` and ``metadata.namespace``."""

    @property
    def group_version(self) -> str:
        """Return ``v1`` or ``group/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """Return the plural as error messages spell it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


_EVENT_FIELDS = (
    *(
        f"involvedObject.{name}"
        for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")
    ),
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
)

NAMESPACES = Resource(
    "", "v1", "namespaces", "Namespace",
    namespaced=False, short_names=("ns",), has_status=True, name_is_label=True,
    fields=("status.phase",),
)  # fmt: skip
NODES = Resource(
    "", "v1", "nodes", "Node",
    namespaced=False, short_names=("no",), has_status=True, fields=("spec.unschedulable",),
)  # fmt: skip
PODS = Resource(
    "", "v1", "pods", "Pod",
    short_names=("po",), has_status=True, graceful=True,
    fields=(
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
        "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName",
    ),
)  # fmt: skip
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", short_names=("cm",))
SECRETS = Resource("", "v1", "secrets", "Secret", fields=("type",))
EVENTS = Resource(
    "", "v1", "events", "Event", short_names=("ev",), create_on_update=True, fields=_EVENT_FIELDS
)
# The same objects seen in another version; stored as EVENTS.
NEW_EVENTS = Resource(
    "events.k8s.io", "v1", "events", "Event",
    short_names=("ev",), create_on_update=True,
)  # fmt: skip
LEASES = Resource(
    "coordination.k8s.io", "v1", "leases", "Lease",
    create_on_update=True, unconditional_update=False,
)  # fmt: skip

ALL = (NAMESPACES, NODES, PODS, CONFIG_MAPS, SECRETS, EVENTS, NEW_EVENTS, LEASES)
BY_PATH = {(one.group, one.version, one.plural): one for one in ALL}

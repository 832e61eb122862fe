"""The picture from the Leases alone, for when no coordinator answers: who holds what.

The limit is worked out as the coordinator does it, from the ConfigMap and the nodes' labels, where
the user may read them. Who waits stands in no object: it is in the coordinator's memory only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from coordinator.core.hold import reason_of
from coordinator.core.limits import ConfigRefused, read_config
from coordinator.kube import errors
from coordinator.kube.calls import resource_path
from coordinator.kube.leases import leases_path
from coordinator.kube.lists import TIMEOUT, whole_list
from coordinator.kube.microtime import elapsed
from coordinator.kube.records import parse, place_of
from coordinator.kube.reflector import METADATA_LIST
from coordinator.kubectl.printing import CONFIG_MAP
from coordinator.kubectl.session import say, sentence
from coordinator.kubectl.together import together

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coordinator.core.limits import LimitRules, Resolution
    from coordinator.core.model import Holder, Lease
    from coordinator.kube.client import KubeClient

Json = dict[str, Any]


@dataclass
class NodeSlots:
    """One node's Leases, and what decides its limit."""

    name: str
    leases: list[tuple[int, Lease]] = field(default_factory=list)
    decided: Resolution | None = None
    """None where the ConfigMap or the node's labels are not to be read."""
    hold: str = ""
    at: datetime = field(default_factory=lambda: datetime.fromtimestamp(time.time(), UTC))

    @property
    def held(self) -> int:
        """Slots that are not free."""
        return sum(lease.taken for _, lease in self.leases)

    def summary(self) -> Json:
        """As the coordinator lists a node; null is what only it knows."""
        return {
            "node": self.name,
            "limit": self.decided.limit if self.decided else None,
            "held": self.held,
            "queued": None,
            "hold": self.hold,
            "decidedBy": self.decided.why if self.decided else "",
            "unresponsive": None,
            "longestWaitSeconds": None,
        }

    def full(self) -> Json:
        """As the coordinator tells a node; null is what only it knows."""
        matched = self.decided.matched if self.decided else ()
        return self.summary() | {
            "matched": [str(rule) for rule in matched],
            "slots": [_slot(ordinal, lease, self.at) for ordinal, lease in self.leases],
            "queue": None,
        }


@dataclass
class Picture:
    """The nodes by name, and a sentence for each thing that could not be read."""

    nodes: list[NodeSlots]
    unread: list[str]

    def node(self, name: str) -> NodeSlots | None:
        """The node of that name."""
        return next((one for one in self.nodes if one.name == name), None)


async def read(kube: KubeClient, namespace: str, config_map: str = CONFIG_MAP) -> Picture:
    """Look at Leases, Nodes and the ConfigMap. Raises `ApiError` where the Leases are not shown."""
    unread: list[str] = []
    leases, heads, rules = await together(
        whole_list(kube, leases_path(namespace)),
        _nodes(kube, unread),
        _rules(kube, namespace, config_map, unread),
    )
    nodes = {name: _node(name, head, rules) for name, head in sorted(heads.items())}
    for lease in map(parse, leases):
        if place := place_of(lease):
            name, ordinal = place
            nodes.setdefault(name, NodeSlots(name)).leases.append((ordinal, lease))
    for one in nodes.values():
        one.leases.sort(key=lambda placed: placed[0])
    return Picture(sorted(nodes.values(), key=attrgetter("name")), unread)


def warn(why: Exception, seen: Picture) -> None:
    """Say on stderr what is shown, why, and what is missing."""
    say(f"no coordinator answered: {why}")
    say("shown is what the Leases say. Who waits, and who is silent, only a coordinator knows")
    for sentence_ in seen.unread:
        say(sentence_)


def _node(name: str, head: Mapping[str, Any], rules: LimitRules | None) -> NodeSlots:
    labels = head.get("labels") or {}
    hold = reason_of(head.get("annotations"))
    return NodeSlots(name, decided=rules.resolve(labels) if rules else None, hold=hold)


def _slot(ordinal: int, lease: Lease, at: datetime) -> Json:
    holder = lease.holder
    return {
        "slot": ordinal,
        "lease": lease.name,
        "state": _state(lease),
        "detail": lease.foreign,
        "holder": _holder(lease.name, holder, at) if holder else None,
        "fencingToken": holder.token if holder else None,
        "acquired": holder.acquired if holder else "",
        "silentSeconds": None,
    }


def _state(lease: Lease) -> str:
    if lease.foreign or lease.terminating:
        return "blocked"
    return "held" if lease.holder else "free"


def _holder(name: str, holder: Holder, at: datetime) -> Json:
    terms, seconds = holder.terms, elapsed(holder.acquired, at)
    return {
        "claim": holder.claim,
        "load": terms.load,
        "lease": name,
        "priority": terms.priority,
        "pod": str(terms.pod) if terms.pod else None,
        "podUid": (terms.pod.uid or None) if terms.pod else None,
        "heldSeconds": None if seconds is None else int(seconds),
        "ttlSeconds": terms.ttl,
    }


async def _nodes(kube: KubeClient, unread: list[str]) -> dict[str, Json]:
    try:
        found = await whole_list(kube, resource_path("nodes"), accept=METADATA_LIST)
    except errors.ApiError as error:
        unread.append(f"limits and holds are not known: {sentence(error)}")
        return {}
    return {str(one["metadata"]["name"]): one["metadata"] for one in found}


async def _rules(
    kube: KubeClient, namespace: str, name: str, unread: list[str]
) -> LimitRules | None:
    path = resource_path("configmaps", namespace, name)
    try:
        found = await kube.request("GET", path, timeout=TIMEOUT)
        return read_config(found.get("data"))
    except errors.NotFound:
        unread.append(
            f"limits are not known: namespace {namespace} has no ConfigMap {name};"
            " --configmap names another"
        )
    except errors.ApiError as error:
        unread.append(f"limits are not known: {sentence(error)}")
    except ConfigRefused as error:
        unread.append(f"limits are not known: ConfigMap {name} is refused: {error}")
    return None

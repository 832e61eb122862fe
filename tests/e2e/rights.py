"""The rights of the rendered manifests, one by one, and the installation without one of them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Object = dict[str, Any]


@dataclass(frozen=True)
class Right:
    """One verb of one rule of one (Cluster)Role."""

    place: str
    """cluster, home, pool or client."""
    role: str
    namespace: str
    rule: int
    group: str
    resource: str
    names: tuple[str, ...]
    """The only objects that it is for; none: all of them."""
    verb: str

    @property
    def key(self) -> str:
        """As probes name it."""
        return f"{self.place}: {self.verb} {self.resource}"

    @property
    def missing(self) -> str:
        """What the coordinator says when it lacks it."""
        qualified = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"Missing right: {qualified}: {self.verb}"


def rights(objects: Iterable[Object], namespace: str) -> list[Right]:
    """Every right of these objects; `namespace` is the coordinator's own."""
    return [
        Right(_place(role, namespace), head["name"], head.get("namespace", ""), *rest)
        for role in objects
        if role["kind"] in {"Role", "ClusterRole"}
        for head in [role["metadata"]]
        for rest in _of(role)
    ]


def _place(role: Object, namespace: str) -> str:
    if role["kind"] == "ClusterRole":
        return "cluster"
    if role["metadata"]["namespace"] != namespace:
        return "client"
    return "home" if role["metadata"]["name"].endswith("-home") else "pool"


def _of(role: Object) -> Iterator[tuple[int, str, str, tuple[str, ...], str]]:
    for number, rule in enumerate(role["rules"]):
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    names = tuple(rule.get("resourceNames", ()))
                    yield number, group, resource, names, verb


def without(objects: Iterable[Object], right: Right) -> list[Object]:
    """The same objects, less this right."""
    changed = copy.deepcopy(list(objects))
    (role,) = (one for one in changed if _is_of(one, right))
    role["rules"][right.rule]["verbs"].remove(right.verb)
    if not role["rules"][right.rule]["verbs"]:
        del role["rules"][right.rule]
    return changed


def _is_of(one: Object, right: Right) -> bool:
    kind = "Role" if right.namespace else "ClusterRole"
    head = one["metadata"]
    named = (head["name"], head.get("namespace", "")) == (right.role, right.namespace)
    return one["kind"] == kind and named

"""People and tools: accounts with rights, and tokens as `kubectl create token` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e import tokens

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster

GROUP = "rbac.authorization.k8s.io"


def on_leases(*verbs: str) -> dict[str, Any]:
    """A rule as an administrator writes it for who looks at slots, or frees them."""
    return {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": list(verbs)}


def on_path(path: str) -> dict[str, Any]:
    return {"nonResourceURLs": [path], "verbs": ["get"]}


def person(cluster: Cluster, name: str, *rules: dict[str, Any], everywhere: bool = False) -> str:
    """The token of a new account with these rights in the cluster's namespace, or `everywhere`."""
    cluster.add_account(name)
    if rules:
        _grant(cluster, name, rules, everywhere=everywhere)
    return tokens.token(cluster.api, cluster.namespace, name)


def _grant(
    cluster: Cluster, account: str, rules: tuple[dict[str, Any], ...], *, everywhere: bool
) -> None:
    kind = "ClusterRole" if everywhere else "Role"
    named = {"name": f"{cluster.namespace}-{account}"}
    head = named if everywhere else {**named, "namespace": cluster.namespace}
    common = {"apiVersion": f"{GROUP}/v1", "metadata": head}
    cluster.apply({**common, "kind": kind, "rules": list(rules)})
    subject = {"kind": "ServiceAccount", "name": account, "namespace": cluster.namespace}
    role = {"apiGroup": GROUP, "kind": kind, **named}
    cluster.apply({**common, "kind": f"{kind}Binding", "roleRef": role, "subjects": [subject]})

"""People and tools: accounts with rights, and tokens as `kubectl create token` makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e import tokens
from tests.e2e.waiting import until

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
    """Gives the rights, and returns when they are in force: the API server's authorizer hears of a
    role a moment after it is made.
    """
    kind = "ClusterRole" if everywhere else "Role"
    named = {"name": f"{cluster.namespace}-{account}"}
    head = named if everywhere else {**named, "namespace": cluster.namespace}
    common = {"apiVersion": f"{GROUP}/v1", "metadata": head}
    cluster.apply({**common, "kind": kind, "rules": list(rules)})
    subject = {"kind": "ServiceAccount", "name": account, "namespace": cluster.namespace}
    role = {"apiGroup": GROUP, "kind": kind, **named}
    cluster.apply({**common, "kind": f"{kind}Binding", "roleRef": role, "subjects": [subject]})
    space = "" if everywhere else cluster.namespace
    asked = [_review(cluster, account, rule, space) for rule in rules]
    until(lambda: all(_allowed(cluster, one) for one in asked), f"rights of {account}")


def _review(cluster: Cluster, account: str, rule: dict[str, Any], space: str) -> dict[str, Any]:
    """What asks whether the account may do the first thing of the rule there; "": everywhere."""
    asked: dict[str, Any] = {"user": f"system:serviceaccount:{cluster.namespace}:{account}"}
    verb = rule["verbs"][0]
    if "nonResourceURLs" in rule:
        asked["nonResourceAttributes"] = {"path": rule["nonResourceURLs"][0], "verb": verb}
    else:
        resource, _, part = rule["resources"][0].partition("/")
        what = {"group": rule["apiGroups"][0], "resource": resource, "subresource": part}
        which = {"namespace": space, "name": rule.get("resourceNames", [""])[0]}
        asked["resourceAttributes"] = {"verb": verb, **what, **which}
    return asked


def _allowed(cluster: Cluster, asked: dict[str, Any]) -> bool:
    told = cluster.make("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": asked})
    return bool(told["status"]["allowed"])

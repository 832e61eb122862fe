"""The objects of one installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.install.defaults import NAME
from coordinator.install.files import BASE, CLIENT, EXTRAS, MOUNTED, MOUNTED_CA, POOL, built
from coordinator.install.naming import Naming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coordinator.install.files import Object
    from coordinator.install.options import Options

CLUSTER_WIDE = (
    "ClusterRole",
    "ClusterRoleBinding",
    "PriorityClass",
    "FlowSchema",
    "PriorityLevelConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
)
"""The kinds that are in no namespace."""

_ORDER = ("ServiceAccount", "PriorityClass", "PriorityLevelConfiguration", "Secret", "ConfigMap")
_LAST = "Deployment"
"""Whatever the coordinator needs is there when it starts."""


def objects(options: Options) -> list[Object]:
    """All objects, in the order in which they are to be applied; the namespaces must exist."""
    extras = [place for name, place in EXTRAS.items() if name in options.extras]
    if "service-monitor" in options.extras and options.extras & MOUNTED:
        extras.append(MOUNTED_CA)
    home = list(_placed(built(BASE, *extras), options, options.namespace, options.config_map))
    if options.replicas == 1:
        home = [one for one in home if one["kind"] != "PodDisruptionBudget"]
    for one in home:
        _configure(one, options)
    return sorted([*home, *_pools(options), *_clients(options)], key=_rank)


def _rank(one: Object) -> int:
    kind = one["kind"]
    if kind == _LAST:
        return len(_ORDER) + 1
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _placed(
    found: Iterable[Object], options: Options, namespace: str, config_map: str = ""
) -> Iterator[Object]:
    """The objects under the name of this installation, in this namespace."""
    naming = Naming(options.name, options.namespace)
    for one in found:
        named = naming.apply(one)
        if named["kind"] not in CLUSTER_WIDE:
            place = {"name": named["metadata"]["name"], "namespace": namespace}
            named["metadata"] = place | named["metadata"] | place
        if named["kind"] == "Role":
            named["rules"] = [_for_limits(rule, config_map) for rule in named["rules"]]
        yield named


def _for_limits(rule: Object, config_map: str) -> Object:
    """The right to read the limits is for this ConfigMap."""
    reads = rule["resources"] == ["configmaps"] and "list" in rule["verbs"]
    return rule | {"resourceNames": [config_map]} if reads else rule


def _pools(options: Options) -> Iterator[Object]:
    for pool in options.pools:
        namespace, _, config_map = pool.partition("/")
        yield from _placed(built(POOL), options, namespace, config_map)


def _clients(options: Options) -> Iterator[Object]:
    for namespace in options.client_namespaces:
        yield from _placed(built(CLIENT), options, namespace)


def _configure(one: Object, options: Options) -> None:
    match one["kind"]:
        case "Deployment":
            _configure_deployment(one, options)
        case "NetworkPolicy":
            selected = one["spec"]["ingress"][0]["from"][0]["namespaceSelector"]
            (expression,) = selected["matchExpressions"]
            expression["values"] = [*options.namespaces, *expression["values"][1:]]


def _configure_deployment(deployment: Object, options: Options) -> None:
    deployment["spec"]["replicas"] = options.replicas
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["image"] = options.image
    container["args"] = list(_arguments(container["args"], options))


def _arguments(base: list[str], options: Options) -> Iterator[str]:
    """The flags of the file, with this ConfigMap; then what differs from the program's defaults."""
    limits = "--node-agent-configmap="
    yield from (limits + options.config_map if flag.startswith(limits) else flag for flag in base)
    yield from (f"--pool={pool}" for pool in options.pools)
    yield from (f"--clients={client}" for client in options.clients)
    if options.name != NAME:
        yield f"--election-lease={options.name}-coordinator"
        yield f"--service={options.name}"
        yield f"--tls-secret={options.name}-tls"
        yield f"--ca-configmap={options.name}-ca"
    yield from options.flags

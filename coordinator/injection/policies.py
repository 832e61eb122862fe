"""The policies that put the sidecar into mover Pods without a server of ours.

Kubernetes' own and Kyverno's differ in their heads alone. ApplyConfiguration, the other form of a
mutation, cannot add a sidecar: it refuses `command` and all other lists without keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.movers import Kind
from coordinator.injection.cel import STEP, Code, literal
from coordinator.injection.conditions import conditions, constraints, labelled
from coordinator.injection.naming import NAME, head
from coordinator.injection.operations import INIT_CONTAINERS, VOLUMES, label_path
from coordinator.injection.sidecar import labels

if TYPE_CHECKING:
    from coordinator.injection.sidecar import Sidecar
    from coordinator.injection.source import Object

KYVERNO = "policies.kyverno.io/v1"
RESTORES = [kind for kind in Kind if kind.restores]


def policy(sidecar: Sidecar, namespace: str, name: str = NAME) -> list[Object]:
    """A MutatingAdmissionPolicy for the movers of `namespace`, and its binding."""
    binding = head("MutatingAdmissionPolicyBinding", name) | {"spec": {"policyName": name}}
    made = head("MutatingAdmissionPolicy", name)
    return [made | {"spec": _spec(sidecar, namespace)}, binding]


def kyverno(sidecar: Sidecar, namespace: str, name: str = NAME) -> list[Object]:
    """Kyverno's MutatingPolicy with the same rule."""
    own = {
        # for Pods as they are made only: not for templates of Deployments, not for what is there
        "autogen": {"podControllers": {"controllers": []}},
        "evaluation": {"admission": {"enabled": True}, "mutateExisting": {"enabled": False}},
        "webhookConfiguration": {"timeoutSeconds": 5},
    }
    return [head("MutatingPolicy", name, KYVERNO) | {"spec": own | _spec(sidecar, namespace)}]


def _spec(sidecar: Sidecar, namespace: str) -> Object:
    found = constraints(namespace)
    rules = found.pop("rules")
    return {
        # An error in the policy never stops a mover: it runs without a slot, and is counted.
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"matchPolicy": "Equivalent", **found, "resourceRules": rules},
        "matchConditions": conditions(),
        "variables": [{"name": "priority", "expression": _priority(sidecar)}],
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": _patch(sidecar)}}],
    }


def _priority(sidecar: Sidecar) -> str:
    restores, backups = (
        literal(str(sidecar.restore_priority)),
        literal(str(sidecar.backup_priority)),
    )
    return f"{labelled(RESTORES)}\n? {restores} : {backups}"


def _patch(sidecar: Sidecar) -> str:
    priority = Code("variables.priority")
    container = _with_code(sidecar.container(priority), priority)
    parts = [
        *(_added(label_path(key), value) for key, value in labels().items()),
        _list("initContainers", INIT_CONTAINERS),
        _added(f"{INIT_CONTAINERS}/0", container),
        _list("volumes", VOLUMES),
        *(_added(f"{VOLUMES}/-", volume) for volume in sidecar.volumes),
    ]
    return "\n+ ".join(parts) + "\n"


def _with_code(part: Any, code: Code) -> Any:
    """The same with texts that are this code as code."""
    if isinstance(part, dict):
        return {key: _with_code(value, code) for key, value in part.items()}
    if isinstance(part, list):
        return [_with_code(one, code) for one in part]
    return code if part == code else part


def _added(path: str, value: Any) -> str:
    head = f'[JSONPatch{{op: "add", path: {literal(path)}, value: '
    return f"{head}{literal(value, before=head)}}}]"


def _list(field: str, path: str) -> str:
    return f"(has(object.spec.{field}) ? []\n{STEP}: {_added(path, [])})"

"""Which Pods get the sidecar, as conditions of an admission policy or webhook, in CEL.

The same as `operations` decides. Each stands by itself: a condition that cannot be told would let
the policy fail, whatever the others say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.core.movers import OS, WINDOWS, Kind
from coordinator.injection.cel import literal
from coordinator.injection.sidecar import container_name, labels, volume_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.injection.source import Object

LABELS = "object.metadata.labels"


def conditions() -> list[Object]:
    """All of them have to hold."""
    return [
        _named("is-a-mover-of-velero", f"has({LABELS})\n&& {labelled(Kind)}"),
        _named("has-no-label", " && ".join(map(_not_labelled, labels()))),
        _named("has-no-sidecar", _none_named("initContainers", [container_name()])),
        # a node-agent with a sidecar of its own passes its volumes on to the movers
        _named("has-no-volume", _none_named("volumes", volume_names())),
        _named("is-not-for-windows", _not_for_windows()),
    ]


def constraints(namespace: str) -> Object:
    """Pods that are made in this namespace.

    No objectSelector tells which: it cannot say that one of four labels is there, and Kyverno's
    command line does not look at it.
    """
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
        "scope": "Namespaced",
    }
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": [rule],
    }


def labelled(kinds: Iterable[Kind]) -> str:
    """Whether an object with labels is a mover of one of these kinds."""
    return f"{literal([kind.label for kind in kinds])}.exists(key, key in {LABELS})"


def _not_labelled(key: str) -> str:
    return f"(!has({LABELS}) || !({literal(key)} in {LABELS}))"


def _none_named(field: str, names: list[str]) -> str:
    found = f"object.spec.{field}"
    return f"!has({found})\n|| !{found}.exists(one, one.name in {literal(names)})"


def _not_for_windows() -> str:
    """Velero says both."""
    selector, key, windows = "object.spec.nodeSelector", literal(OS), literal(WINDOWS)
    return (
        f"(!has(object.spec.os) || object.spec.os.name != {windows})\n"
        f"&& (!has({selector}) || !({key} in {selector})\n"
        f"  || {selector}[{key}] != {windows})"
    )


def _named(name: str, expression: str) -> dict[str, Any]:
    return {"name": name, "expression": expression}

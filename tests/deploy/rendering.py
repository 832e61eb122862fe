"""What each way to install makes, as objects that can be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.tools.programs import Tool

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "node-slots"
NAMESPACE = "velero"
HELMS_LABELS = ("app.kubernetes.io/managed-by", "helm.sh/chart")
"""What the chart adds to every object, and nothing else has. No selector names them."""

OTHERS = ("cert-manager.io/v1", "monitoring.coreos.com/v1")
"""Kinds that Kubernetes does not know by itself, so that neither it nor its schemas judge them."""

Object = dict[str, Any]
Key = tuple[str, str, str]
"""Kind, namespace ("" for none) and name."""


def chart(helm: Tool, values: Mapping[str, Any], namespace: str = NAMESPACE) -> list[Object]:
    """What `helm template` makes of these values. Raises `ToolError`."""
    told = [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]
    text = helm(["template", "release", CHART, "--namespace", namespace, *told])
    return [one for one in yaml.safe_load_all(text) if one]


def built(kustomize: Tool, folder: Path) -> list[Object]:
    """What `kustomize build` makes of this folder. Raises `ToolError`."""
    return [one for one in yaml.safe_load_all(kustomize(["build", folder])) if one]


def named(found: Iterable[Object]) -> dict[Key, Object]:
    """The objects by what they are; without Helm's labels, and with JSON texts read."""
    return {key_of(one): _compared(one) for one in found}


def key_of(one: Object) -> Key:
    metadata = one["metadata"]
    return one["kind"], metadata.get("namespace", ""), metadata["name"]


def _compared(one: Object) -> Object:
    labels = one["metadata"].get("labels", {})
    kept = {key: value for key, value in labels.items() if key not in HELMS_LABELS}
    one = one | {"metadata": one["metadata"] | {"labels": kept}}
    if one["kind"] == "ConfigMap" and "data" in one:
        one["data"] = {key: json.loads(text) for key, text in one["data"].items()}
    return one

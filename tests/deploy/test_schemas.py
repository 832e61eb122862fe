"""Every object that can be installed is right for each Kubernetes version that is supported."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kubernetes_validate import ValidationError, validate  # type: ignore[import-untyped]
from kubernetes_validate.utils import SchemaNotFoundError  # type: ignore[import-untyped]

from coordinator.install import objects
from tests.deploy.rendering import DEPLOY, OTHERS, Object, chart
from tests.deploy.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.tools.programs import Tool

VERSIONS = [f"1.{minor}" for minor in range(29, 38)]
SHAPES = ("default", "single", "tls-mounted", "all")
"""The variants that differ in more than names."""
TOO_NEW = {
    ("1.29", "ValidatingAdmissionPolicy"),
    ("1.29", "ValidatingAdmissionPolicyBinding"),
}
"""admissionregistration.k8s.io/v1 has them since 1.30: the component says so."""


@cache
def installed() -> list[Object]:
    """Each object that some variant has, once."""
    found = [one for name in SHAPES for one in objects(VARIANTS[name].options)]
    return [*{json.dumps(one, sort_keys=True): one for one in found}.values()]


def examples() -> list[Object]:
    """What users start from."""
    paths = sorted((DEPLOY / "examples").glob("*.yaml"))
    return [one for path in paths for one in yaml.safe_load_all(path.read_text())]


def faults(version: str, found: Iterable[Object]) -> list[str]:
    """What the schemas of that version refuse, each as a sentence."""
    return [
        f"{one['kind']}: {problem}"
        for one in found
        if one["apiVersion"] not in OTHERS and (problem := _fault(version, one))
    ]


def _fault(version: str, one: Any) -> str:
    try:
        validate(one, version, strict=True)
    except SchemaNotFoundError:
        return "" if (version, one["kind"]) in TOO_NEW else "no such kind"
    except ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    return ""


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_right_for_this_version(version: str) -> None:
    assert faults(version, [*installed(), *examples()]) == []


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
def test_what_only_the_chart_has_is_right_too(version: str, helm: Tool) -> None:
    values = {
        "image.pullSecrets": ["registry"],
        "image.pullPolicy": "Always",
        "limits": {"loadConcurrency": {"globalConfig": 3}},
        "nodeCap": 4,
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "podLabels": {"team": "storage"},
        "podAnnotations": {"note": "x"},
    }
    assert faults(version, chart(helm, values)) == []


def test_the_policy_is_the_only_one_that_the_oldest_version_has_not() -> None:
    kinds = {one["kind"] for one in installed()}
    assert {kind for version, kind in TOO_NEW if version == VERSIONS[0]} <= kinds
    assert not [version for version, _ in TOO_NEW if version != VERSIONS[0]]


@pytest.mark.parametrize(
    ("change", "told"),
    [({"replicas": "two"}, "spec.replicas"), ({"replica": 2}, "'replica' was unexpected")],
)
def test_a_mistake_would_be_found(change: dict[str, object], told: str) -> None:
    (deployment,) = (
        one for one in objects(VARIANTS["default"].options) if one["kind"] == "Deployment"
    )
    wrong = deployment | {"spec": deployment["spec"] | change}
    (fault,) = faults(VERSIONS[-1], [wrong])
    assert told in fault

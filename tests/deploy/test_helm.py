"""The chart makes the same objects as `slot-coordinator install` and kustomize do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from coordinator.install import files, objects
from tests.deploy.rendering import CHART, DEPLOY, HELMS_LABELS, built, chart, named
from tests.deploy.variants import EXTRAS, VARIANTS
from tests.tools.programs import ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.programs import Tool

LIMITS = {"loadConcurrency": {"globalConfig": 3}}


@pytest.mark.parametrize("name", VARIANTS)
def test_the_chart_makes_the_objects_of_install(name: str, helm: Tool) -> None:
    variant = VARIANTS[name]
    made = named(chart(helm, variant.values, variant.options.namespace))
    assert made == named(objects(variant.options))


def test_every_extra_of_install_is_a_switch_of_the_chart() -> None:
    assert set(EXTRAS) == set(files.EXTRAS)


def test_the_chart_with_limits_makes_the_objects_of_the_overlay(
    helm: Tool, kustomize: Tool
) -> None:
    found = built(kustomize, DEPLOY / "overlays" / "velero")
    limits = named(found)["ConfigMap", "velero", "node-slots"]["data"]["limits.json"]
    assert named(chart(helm, {"limits": limits})) == named(found)


def test_the_chart_of_one_replica_makes_the_objects_of_the_overlay_single(
    helm: Tool, kustomize: Tool
) -> None:
    found = named(built(kustomize, DEPLOY / "overlays" / "single"))
    limits = found["ConfigMap", "velero", "node-slots"]["data"]["limits.json"]
    assert named(chart(helm, {"limits": limits, "replicas": 1})) == found


def test_no_selector_names_a_label_that_changes_with_the_chart(helm: Tool) -> None:
    everything = VARIANTS["all"]
    for one in chart(helm, everything.values):
        assert one["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
        body = str({key: value for key, value in one.items() if key != "metadata"})
        assert not any(label in body for label in HELMS_LABELS if label != HELMS_LABELS[0])


def test_the_image_is_that_of_the_version(helm: Tool) -> None:
    told = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (deployment,) = (one for one in chart(helm, {}) if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"node-slots:{told['appVersion']}"


def test_what_only_the_chart_has_reaches_the_pods(helm: Tool) -> None:
    values = {
        "image.pullSecrets": ["registry"],
        "image.pullPolicy": "IfNotPresent",
        "nodeCap": 4,
        "extraArgs": ["--unresponsive-timeout=3600"],
        "podLabels": {"team": "storage"},
        "podAnnotations": {"note": "x"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "nodeSelector.disk": "ssd",
        "resources.limits": {"memory": "1Gi"},
        "limits": LIMITS,
    }
    (deployment,) = (one for one in chart(helm, values) if one["kind"] == "Deployment")
    template = deployment["spec"]["template"]
    spec, (container,) = template["spec"], template["spec"]["containers"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["args"][-2:] == ["--node-cap=4", "--unresponsive-timeout=3600"]
    assert template["metadata"]["labels"]["team"] == "storage"
    assert template["metadata"]["annotations"]["note"] == "x"
    assert (spec["tolerations"], spec["affinity"]) == (
        [{"operator": "Exists"}],
        {"nodeAffinity": {}},
    )
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert container["resources"]["limits"] == {"memory": "1Gi"}


def test_an_issuer_of_your_own_takes_the_place_of_the_self_made_authority(helm: Tool) -> None:
    issuer = {"name": "company", "kind": "ClusterIssuer"}
    found = named(chart(helm, {"tls.mode": "cert-manager", "tls.issuer": issuer}))
    kinds = [kind for kind, _, _ in found if kind in {"Issuer", "Certificate"}]
    assert kinds == ["Certificate"]
    told = found["Certificate", "velero", "node-slots-certificate"]["spec"]["issuerRef"]
    assert told == issuer | {"group": "cert-manager.io"}


def test_labels_that_prometheus_selects_by_are_added(helm: Tool) -> None:
    values: dict[str, object] = {}
    for one in ("serviceMonitor", "prometheusRule"):
        values |= {f"{one}.enabled": True, f"{one}.labels": {"release": "x"}}
    found = named(chart(helm, values))
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert (
            found[kind, "velero", "node-slots-coordinator"]["metadata"]["labels"]["release"] == "x"
        )


def test_the_chart_is_without_fault_to_helm_itself(helm: Tool) -> None:
    assert "0 chart(s) failed" in helm(["lint", "--strict", CHART])


def test_the_notes_say_what_to_do_next(helm: Tool) -> None:
    install: list[str | Path] = ["install", "x", CHART, "--namespace", "jobs", "--dry-run=client"]
    bare = helm(install)
    assert "kubectl -n jobs create configmap node-slots --from-file=limits.json" in bare
    assert "NODE_SLOTS_URL=https://node-slots.jobs.svc:8443" in bare
    clients = helm([*install, "--set-json", 'clients=[{"namespace": "apps"}]'])
    assert "ConfigMap node-slots-ca, which is in this namespace, apps." in clients
    assert "write ca.crt of Secret" not in bare
    mounted = helm([*install, "--set", "tls.mode=mounted,tls.secretName=ours"])
    assert "write ca.crt of Secret\nours into each of these ConfigMaps" in mounted
    limits = helm([*install, "--set", "limits.loadConcurrency.globalConfig=2"])
    assert "create configmap" not in limits


@pytest.mark.parametrize(
    ("told", "named_in_error"),
    [
        ("replica=3", "'replica'"),
        ("replicas=0", "'/replicas'"),
        ("image.tga=x", "'tga'"),
        ("image.digest=sha256:1", "'/image/digest'"),
        ("limits.loadConcurrency.globalConfig=0", "'/limits/loadConcurrency/globalConfig'"),
        ("tls.mode=none", "'/tls/mode'"),
        ("tls.issuer.kind=Issuer", "'/tls/issuer'"),
        ("clients[0].namespace=A_b", "'/clients/0/namespace'"),
        ("clients[0].maxPriority=1", "'namespace'"),
        ("pools[0].namespace=scans", "'configMap'"),
        ("nodeCap=0", "'/nodeCap'"),
        ("extraArgs[0]=node-cap", "'/extraArgs/0'"),
        (r"podLabels.app\.kubernetes\.io/name=x", "'/podLabels/"),
        ("name=Node", "'/name'"),
        ("serviceMonitor.interval=often", "'/serviceMonitor/interval'"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(told: str, named_in_error: str, helm: Tool) -> None:
    with pytest.raises(ToolError) as refused:
        helm(["template", "x", CHART, "--set", told])
    assert named_in_error in str(refused.value)
    assert "schema" in str(refused.value)


def test_every_value_is_described_and_no_other_is_taken() -> None:
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert set(schema["properties"]) - {"global"} == set(values)
    undescribed, open_ended = [], []

    def visit(path: str, part: dict[str, object]) -> None:
        if "description" not in part:
            undescribed.append(path)
        inside = part.get("properties")
        if isinstance(inside, dict):
            if part.get("additionalProperties") is not False:
                open_ended.append(path)
            for name, one in inside.items():
                visit(f"{path}.{name}", one)

    visit("values", schema)
    assert (undescribed, open_ended) == ([], [])

"""What kustomize builds of `deploy/` is what `slot-coordinator install` writes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from coordinator.install import Options, objects
from coordinator.install.files import EXTRAS as PLACES
from coordinator.install.files import MOUNTED, MOUNTED_CA, POOL
from tests.deploy.rendering import DEPLOY, built, named

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.programs import Tool

MONITORING = [name for name, place in PLACES.items() if place[0] == "monitoring"]
COMPONENTS = [name for name in PLACES if name not in MONITORING]


def overlay(folder: Path, **told: Any) -> Path:
    """A kustomization of one's own over `deploy/`, as JSON, which is YAML too."""
    for key in ("resources", "components"):
        told[key] = [
            os.path.relpath(DEPLOY.joinpath(*place), folder) for place in told.get(key, ())
        ]
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    (folder / "kustomization.yaml").write_text(json.dumps(head | told))
    return folder


def test_the_overlay_velero_is_what_install_writes_and_the_limits(kustomize: Tool) -> None:
    found = named(built(kustomize, DEPLOY / "overlays" / "velero"))
    limits = found.pop(("ConfigMap", "velero", "node-slots"))
    assert limits["data"]["limits.json"]["loadConcurrency"]["globalConfig"] == 2
    assert found == named(objects(Options()))


def test_the_overlay_single_is_what_install_writes_for_one_replica(kustomize: Tool) -> None:
    found = named(built(kustomize, DEPLOY / "overlays" / "single"))
    del found["ConfigMap", "velero", "node-slots"]
    assert found == named(objects(Options(replicas=1)))


@pytest.mark.parametrize("name", PLACES)
def test_each_extra_over_the_base_is_what_install_writes(
    name: str, kustomize: Tool, tmp_path: Path
) -> None:
    kind = "resources" if name in MONITORING else "components"
    told: dict[str, Any] = {"resources": [("base",)]}
    told[kind] = [*told.get(kind, ()), PLACES[name]]
    found = built(kustomize, overlay(tmp_path, **told))
    assert named(found) == named(objects(Options(extras=frozenset({name}))))


@pytest.mark.parametrize("name", sorted(MOUNTED))
def test_prometheus_verifies_a_mounted_certificate_with_its_own_authority(
    name: str, kustomize: Tool, tmp_path: Path
) -> None:
    resources = [("base",), PLACES["service-monitor"]]
    found = built(
        kustomize, overlay(tmp_path, resources=resources, components=[PLACES[name], MOUNTED_CA])
    )
    assert named(found) == named(objects(Options(extras=frozenset({name, "service-monitor"}))))


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_over_another_namespace_is_what_install_writes_for_it(
    name: str, kustomize: Tool, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    overlay(tmp_path / "home", resources=[("base",)], namespace="jobs")
    (tmp_path / "whole").mkdir()
    whole = overlay(tmp_path / "whole", components=[PLACES[name]])
    told = json.loads((whole / "kustomization.yaml").read_text())
    (whole / "kustomization.yaml").write_text(json.dumps(told | {"resources": ["../home"]}))
    wanted = objects(Options(namespace="jobs", extras=frozenset({name})))
    assert named(built(kustomize, whole)) == named(wanted)


def test_one_more_pool_is_what_install_writes_for_it(kustomize: Tool, tmp_path: Path) -> None:
    found = named(built(kustomize, overlay(tmp_path, components=[POOL], namespace="scans")))
    wanted = named(objects(Options(pools=("scans/node-slots",))))
    assert {key for key in wanted if key[1] == "scans"} == set(found)
    for kind in ("Role", "ConfigMap"):
        (one,) = (key for key in found if key[0] == kind)
        assert found[one] == wanted[one]


def test_all_of_the_monitoring_stands_by_itself(kustomize: Tool) -> None:
    found = named(built(kustomize, DEPLOY / "monitoring"))
    whole = named(objects(Options(extras=frozenset(MONITORING))))
    assert found == {key: one for key, one in whole.items() if key not in named(objects(Options()))}

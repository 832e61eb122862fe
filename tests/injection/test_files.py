"""The ready-made files of deploy/velero: what the code renders, and right for their clusters."""

from __future__ import annotations

import pytest
import yaml
from kubernetes_validate import validate  # type: ignore[import-untyped]
from kubernetes_validate.utils import SchemaNotFoundError  # type: ignore[import-untyped]

from coordinator.core.movers import GOVERNED
from coordinator.injection.sidecar import labels
from coordinator.install import Options, objects
from coordinator.settings import Settings
from coordinator.tls.webhook import MOVERS
from tests.injection.render import FOLDER, texts

READY = tuple(texts())


@pytest.mark.parametrize("name", READY)
def test_each_file_is_what_the_code_renders(name: str) -> None:
    assert (FOLDER / name).read_text() == texts()[name], "run: python -m tests.injection.render"


@pytest.mark.parametrize("minor", range(29, 38))
def test_the_webhook_is_right_for_every_version_that_has_sidecars(minor: int) -> None:
    (configuration,) = yaml.safe_load_all((FOLDER / "mutating-webhook.yaml").read_text())
    validate(configuration, f"1.{minor}", strict=True)


@pytest.mark.parametrize("minor", range(36, 38))
def test_the_policy_is_right_for_the_versions_that_have_it(minor: int) -> None:
    found = list(yaml.safe_load_all((FOLDER / "mutating-admission-policy.yaml").read_text()))
    for one in found:
        validate(one, f"1.{minor}", strict=True)
    with pytest.raises(SchemaNotFoundError):
        validate(found[0], "1.35", strict=True)


def test_the_label_is_the_one_that_the_core_knows() -> None:
    assert labels() == {GOVERNED: "true"}


def test_the_webhook_is_where_the_coordinator_listens_and_publishes() -> None:
    (configuration,) = yaml.safe_load_all((FOLDER / "mutating-webhook.yaml").read_text())
    (hook,) = configuration["webhooks"]
    service = hook["clientConfig"]["service"]
    (found,) = (one for one in objects(Options()) if one["kind"] == "Service")
    assert service["name"] == found["metadata"]["name"]
    assert service["port"] in {port["port"] for port in found["spec"]["ports"]}
    assert "caBundle" not in hook["clientConfig"]
    assert hook["name"] == MOVERS, "the coordinator publishes its authority to no other"
    default = Settings.model_fields["webhook_configuration"].default
    assert configuration["metadata"]["name"] == default


def test_an_absent_coordinator_stops_no_mover() -> None:
    for name in READY:
        first = next(yaml.safe_load_all((FOLDER / name).read_text()))
        rule = first["webhooks"][0] if "webhooks" in first else first["spec"]
        assert rule["failurePolicy"] == "Ignore"

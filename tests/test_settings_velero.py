"""The settings about Velero's movers: what cannot work is refused, and what the webhook injects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coordinator.flags import load
from coordinator.injection import Sidecar, source
from coordinator.run import injection
from coordinator.settings import ENV_PREFIX, Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

INJECTING = {"namespace": "velero", "inject_image": "registry.example/node-slots:0.1.0"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(ENV_PREFIX + name.upper(), raising=False)


@pytest.mark.parametrize("opened", [{"tls": "off"}, {"auth": "none"}])
def test_a_webhook_that_no_api_server_can_call_is_refused(opened: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="--inject-image: an API server calls webhooks over"):
        load(INJECTING | opened)
    load({"namespace": "velero"} | opened)


@pytest.mark.parametrize("secured", [{}, {"tls": "mounted"}, {"auth": "none", "tls": "self-made"}])
def test_one_over_tls_is_taken_whoever_is_asked(secured: dict[str, str]) -> None:
    assert injection(load(INJECTING | secured)) is not None


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"inject_image": "two words"}, "--inject-image"),
        ({"inject_url": "http://node-slots.velero.svc:8443"}, "--inject-url"),
        ({"webhook_configuration": "../x"}, "--webhook-configuration"),
        ({"webhook_configuration": ""}, "--webhook-configuration"),
    ],
)
def test_names_and_urls_that_cannot_be_are_refused(flags: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(INJECTING | flags)


def test_nothing_is_injected_without_an_image() -> None:
    assert injection(load({"namespace": "velero"})) is None


def test_the_sidecar_asks_the_service_unless_told_otherwise() -> None:
    flags = {"service": "slots", "election_namespace": "home", "ca_configmap": "slots-ca"}
    image = INJECTING["inject_image"]
    wanted = Sidecar(image, "https://slots.home.svc:8443", "velero", config_map_ca="slots-ca")
    assert injection(load(INJECTING | flags)) == wanted
    elsewhere = injection(load(INJECTING | {"inject_url": "https://10.0.0.7:8443/"}))
    assert elsewhere is not None
    assert elsewhere.url == "https://10.0.0.7:8443"


def test_a_package_without_the_sidecar_fails_when_it_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source.read.cache_clear()
    monkeypatch.setattr(source, "_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"sidecar\.yaml"):
        injection(load(INJECTING))

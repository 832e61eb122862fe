"""Flags, environment, defaults, and what is refused before anything starts."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from coordinator.flags import add_flags, flag_of, load
from coordinator.settings import ENV_PREFIX, Settings, SettingsError

POOL = {"namespace": "velero"}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(ENV_PREFIX + name.upper(), raising=False)


def parsed(*arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_flags(parser)
    return vars(parser.parse_args(arguments))


def refused(**flags: object) -> str:
    with pytest.raises(SettingsError) as error:
        load(flags)
    return str(error.value)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_a_flag_a_variable_and_has_a_reason(name: str) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    text = " ".join(parser.format_help().split())
    assert flag_of(name) in text
    assert ENV_PREFIX + name.upper() in text
    assert (Settings.model_fields[name].description or "").endswith(".")


def test_a_flag_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_PREFIX + "LISTEN_PORT", "1000")
    monkeypatch.setenv(ENV_PREFIX + "HEALTH_PORT", "1001")
    settings = load(parsed("--namespace", "velero", "--listen-port", "2000"))
    assert (settings.listen_port, settings.health_port) == (2000, 1001)


def test_an_empty_variable_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_PREFIX + "LISTEN_PORT", "")
    assert load(POOL).listen_port == 8443


def test_pools_come_from_repeated_flags() -> None:
    flags = parsed("--namespace", "velero", "--pool", "a/one", "--pool", "b/two")
    assert load(flags).pools == [("velero", None), ("a", "one"), ("b", "two")]


def test_pools_come_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_PREFIX + "POOL", "a/one,b/two")
    assert load({}).pools == [("a", "one"), ("b", "two")]


def test_the_configmap_of_the_namespace_is_its_pools() -> None:
    flags = parsed("--namespace", "velero", "--node-agent-configmap", "limits")
    assert load(flags).pools == [("velero", "limits")]


def test_a_port_of_zero_is_allowed() -> None:
    assert load({**POOL, "listen_port": "0", "health_port": "0"}).listen_port == 0


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({}, "no pool"),
        ({"node_agent_configmap": "limits"}, "needs --namespace"),
        ({"namespace": "Velero"}, "--namespace"),
        ({"namespace": "velero", "node_agent_configmap": "../x"}, "--node-agent-configmap"),
        ({"pool": ["velero"]}, "--pool"),
        ({"pool": ["velero/"]}, "--pool"),
        ({"pool": ["a/b/c"]}, "--pool"),
        ({"pool": ["a/one", "a/two"]}, "two pools in namespace a"),
        ({**POOL, "pool": ["velero/limits"]}, "two pools in namespace velero"),
        ({**POOL, "listen_port": "many"}, "--listen-port"),
        ({**POOL, "health_port": "65536"}, "--health-port"),
        ({**POOL, "stop_grace": "6"}, "--stop-grace"),
        ({**POOL, "stop_grace": "0"}, "--stop-grace"),
        ({**POOL, "unresponsive_timeout": "nan"}, "--unresponsive-timeout"),
        ({**POOL, "long_wait": "-1"}, "--long-wait"),
        ({**POOL, "long_wait": "inf"}, "--long-wait"),
        ({**POOL, "log_format": "xml"}, "--log-format"),
    ],
)
def test_what_cannot_work_is_refused_by_name(flags: dict[str, object], named: str) -> None:
    assert named in refused(**flags)


def test_all_mistakes_are_told_at_once() -> None:
    told = refused(namespace="velero", listen_port="x", health_port="y")
    assert "--listen-port" in told
    assert "--health-port" in told


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_only_this_machine_may_call_without_more_ado(address: str) -> None:
    assert load({**POOL, "listen_address": address}).loopback


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.7", "node1.example"])
def test_other_machines_need_a_word_of_their_own(address: str) -> None:
    assert "--allow-unauthenticated" in refused(**POOL, listen_address=address)
    opened = load({**POOL, "listen_address": address, "allow_unauthenticated": True})
    assert not opened.loopback

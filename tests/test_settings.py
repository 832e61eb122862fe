"""Flags, environment, defaults, and what is refused before anything starts."""

from __future__ import annotations

import argparse
import re
from typing import Any

import pytest

from coordinator.core.access import ClientNamespace
from coordinator.core.claims import Policy
from coordinator.flags import add_flags, flag_of, load
from coordinator.run import policy
from coordinator.settings import ENV_PREFIX, Settings, SettingsError
from coordinator.settings_velero import VeleroSettings

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


def test_the_flags_about_velero_come_last_under_their_own_title() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    general, title, velero = parser.format_help().partition("\nVelero:\n")
    assert title
    ours = [flag_of(name) for name in VeleroSettings.model_fields]
    others = [flag_of(name) for name in Settings.model_fields if flag_of(name) not in ours]
    assert re.findall(r"^  (--[a-z-]+)", velero, re.MULTILINE) == ours
    listed = re.findall(r"^  (--[a-z-]+)", general.partition("options:")[2], re.MULTILINE)
    assert listed == others


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
        ({**POOL, "auth": "basic"}, "--auth"),
        ({**POOL, "tls": "on"}, "--tls"),
        ({**POOL, "clients": ["Batch"]}, "--clients"),
        ({**POOL, "clients": ["batch:high"]}, "--clients"),
        ({**POOL, "clients": ["a/b/c"]}, "--clients"),
        ({**POOL, "clients": [""]}, "--clients"),
        ({**POOL, "clients": ["scans/batch"]}, "no pool in namespace scans"),
        ({**POOL, "node_cap": "0"}, "--node-cap"),
        ({**POOL, "tls_secret": "../x"}, "--tls-secret"),
        ({**POOL, "ca_configmap": "CA"}, "--ca-configmap"),
        ({**POOL, "service": "a.b"}, "--service"),
        ({**POOL, "tls_name": ["not a host"]}, "--tls-name"),
    ],
)
def test_what_cannot_work_is_refused_by_name(flags: dict[str, object], named: str) -> None:
    assert named in refused(**flags)


def test_all_mistakes_are_told_at_once() -> None:
    told = refused(namespace="velero", listen_port="x", health_port="y")
    assert "--listen-port" in told
    assert "--health-port" in told


ELSEWHERE = ["0.0.0.0", "::", "all", "10.0.0.7", "node1.example"]


def test_callers_are_asked_who_they_are_over_tls_unless_told_otherwise() -> None:
    settings = load(POOL)
    assert (settings.auth, settings.tls_mode) == ("kubernetes", "self-made")
    assert load({**POOL, "auth": "none"}).tls_mode == "off"
    assert load({**POOL, "auth": "none", "tls": "mounted"}).tls_mode == "mounted"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
@pytest.mark.parametrize("opened", [{"auth": "none"}, {"tls": "off"}])
def test_what_is_open_to_anybody_is_for_this_machine(address: str, opened: dict[str, str]) -> None:
    assert load({**POOL, "listen_address": address, **opened}).loopback


@pytest.mark.parametrize("address", ELSEWHERE)
@pytest.mark.parametrize("opened", [{"auth": "none"}, {"tls": "off"}])
def test_other_machines_find_nothing_open(address: str, opened: dict[str, str]) -> None:
    [(name, value)] = opened.items()
    told = refused(**POOL, listen_address=address, **opened)
    assert f"{flag_of(name)} {value}" in told
    assert not load({**POOL, "listen_address": address}).loopback


def test_clients_are_for_the_first_pool_unless_one_is_named() -> None:
    flags = parsed("--namespace", "velero", "--pool", "scans/limits", "--clients", "batch")
    more = parsed("--clients", "scans/batch:5", "--clients", "other:-3", "--clients", "a:0")
    settings = load({**flags, "clients": [*flags["clients"], *more["clients"]]})
    assert settings.client_namespaces == [
        ClientNamespace("velero", "batch"),
        ClientNamespace("scans", "batch", 5),
        ClientNamespace("velero", "other", -3),
        ClientNamespace("velero", "a", 0),
    ]


def test_clients_come_from_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_PREFIX + "CLIENTS", "batch,other:5")
    assert [client.namespace for client in load(POOL).client_namespaces] == ["batch", "other"]


def test_the_home_is_the_elections_namespace_else_the_first_pools() -> None:
    assert load(POOL).home == "velero"
    assert load({**POOL, "election_namespace": "ops"}).home == "ops"


def test_replicas_behind_tls_are_not_told_to_send_tokens_in_clear() -> None:
    assert "https://" in refused(**POOL, advertise_url="http://10.0.0.7:8443")
    load({**POOL, "advertise_url": "https://10.0.0.7:8443"})
    load({**POOL, "tls": "off", "advertise_url": "http://127.0.0.1:8443"})


def test_the_certificate_is_for_more_names() -> None:
    names = ["slots.example", "*.slots.example", "10.0.0.7", "::1"]
    assert load({**POOL, "tls_name": names}).tls_name == names


def test_the_numbers_that_rule_a_table_are_those_of_the_flags() -> None:
    flags = (
        "--namespace=velero",
        "--unresponsive-timeout=1",
        "--max-queue-per-node=2",
        "--aging=3",
        "--long-wait=4",
        "--restore-headroom=5",
        "--restore-priority=6",
        "--prepare-timeout=7",
    )
    assert policy(load(parsed(*flags))) == Policy(
        unresponsive_timeout=1,
        max_queue=2,
        aging=3,
        long_wait=4,
        headroom=5,
        urgent_from=6,
        prepare_timeout=7,
    )

"""`objects`: what is installed, and that a name, a namespace and more pools reach every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from coordinator.flags import add_flags, load
from coordinator.install import Options, OptionsError, objects
from coordinator.install.arguments import WITH
from coordinator.install.files import EXTRAS
from coordinator.install.objects import CLUSTER_WIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coordinator.settings import Settings

EVERYTHING = frozenset(EXTRAS)


def the(found: list[Any], kind: str, namespace: str | None = "velero") -> Any:
    (one,) = (
        one for one in found if (one["kind"], one["metadata"].get("namespace")) == (kind, namespace)
    )
    return one


def pod(found: list[Any], namespace: str = "velero") -> Any:
    return the(found, "Deployment", namespace)["spec"]["template"]["spec"]


def rules(role: Any) -> list[tuple[str, list[str], list[str]]]:
    return [
        (rule["resources"][0], rule["verbs"], rule.get("resourceNames", []))
        for rule in role["rules"]
    ]


def settings(found: list[Any], namespace: str = "velero") -> Settings:
    """What `serve` makes of the Deployment's flags."""
    import argparse

    parser = argparse.ArgumentParser()
    add_flags(parser)
    (container,) = pod(found, namespace)["containers"]
    words = [word.replace("$(POD_NAMESPACE)", namespace) for word in container["args"]]
    assert container["command"] == ["slot-coordinator", "serve"]
    return load(vars(parser.parse_args(words)))


def strings(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield key
            yield from strings(value)
    elif isinstance(part, list):
        for one in part:
            yield from strings(one)
    elif isinstance(part, str):
        yield part


def test_the_coordinator_takes_the_flags_that_it_is_started_with() -> None:
    told = settings(
        objects(Options(config_map="lim", pools=("scans/two",), clients=("apps:5", "scans/jobs")))
    )
    assert told.pools == [("velero", "lim"), ("scans", "two")]
    clients = [(one.pool, one.namespace, one.max_priority) for one in told.client_namespaces]
    assert clients == [("velero", "apps", 5), ("scans", "jobs", None)]
    assert told.auth == "kubernetes"
    assert told.tls_mode == "self-made"
    assert not told.loopback


def test_another_name_reaches_the_flags_the_rights_and_all_that_is_cluster_wide() -> None:
    found = objects(Options(namespace="backup", name="second"))
    told = settings(found, "backup")
    assert told.service == the(found, "Service", "backup")["metadata"]["name"] == "second"
    assert told.tls_secret == the(found, "Secret", "backup")["metadata"]["name"] == "second-tls"
    assert told.ca_configmap == the(found, "ConfigMap", "backup")["metadata"]["name"] == "second-ca"
    assert told.election_lease == "second-coordinator"
    assert the(found, "ClusterRoleBinding", None)["roleRef"]["name"] == "second-coordinator"
    roles = [rule for one in found if one["kind"] == "Role" for rule in rules(one)]
    named = [(kind, names) for kind, _, names in roles if names]
    assert ("secrets", ["second-tls"]) in named
    assert ("configmaps", ["second-ca"]) in named


def test_nothing_of_the_first_name_and_namespace_is_left_in_the_second_installation() -> None:
    options = Options(namespace="backup", name="second", config_map="lim", extras=EVERYTHING)
    stay = {"node-slots:0.1.0", "node-slots.json", "/etc/node-slots/tls", "node-slots"}
    for one in objects(options):
        if one["metadata"]["name"] == "second-dashboard":
            continue  # Grafana's own text
        kept = {text for text in strings(one) if "velero" in text or "node-slots" in text}
        assert {text for text in kept if " " not in text} <= stay, one["metadata"]
        assert not any("velero" in text for text in kept), one["metadata"]


def test_two_installations_share_no_object() -> None:
    def ids(options: Options) -> set[tuple[str, str, str]]:
        heads = [(one["kind"], one["metadata"]) for one in objects(options)]
        return {(kind, head.get("namespace", ""), head["name"]) for kind, head in heads}

    first = ids(Options(extras=EVERYTHING, clients=("apps",)))
    assert not first & ids(Options(name="second", extras=EVERYTHING, clients=("apps",)))


def test_every_object_is_in_a_namespace_unless_its_kind_is_in_none() -> None:
    for one in objects(Options(namespace="backup", extras=EVERYTHING)):
        placed = one["metadata"].get("namespace")
        assert placed == (None if one["kind"] in CLUSTER_WIDE else "backup"), one


def test_a_pool_and_a_client_get_their_rights_and_an_empty_authority() -> None:
    found = objects(Options(pools=("scans/two",), clients=("apps", "scans/jobs", "velero/scans")))
    of_pool, of_client = the(found, "Role", "scans"), the(found, "Role", "apps")
    assert ("configmaps", ["list", "watch"], ["two"]) in rules(of_pool)
    assert ("leases", ["get", "list", "watch", "create", "update", "delete"], []) in rules(of_pool)
    assert [kind for kind, _, _ in rules(of_client)] == ["pods", "events", "configmaps"]
    for namespace in ("scans", "apps", "jobs"):
        (subject,) = the(found, "RoleBinding", namespace)["subjects"]
        assert subject["namespace"] == "velero"
        assert "data" not in the(found, "ConfigMap", namespace)


def test_no_right_is_a_wildcard_and_no_secret_but_its_own_is_named() -> None:
    found = objects(Options(extras=frozenset({"priority-class"})))
    given = [rule for one in found if "rules" in one for rule in one["rules"]]
    assert "*" not in {word for rule in given for words in rule.values() for word in words}
    secrets = [rule for rule in given if "secrets" in rule["resources"]]
    assert [(rule["resourceNames"], rule["verbs"]) for rule in secrets] == [
        (["node-slots-tls"], ["get", "update"])
    ]


def test_what_the_coordinator_fills_in_is_shipped_without_data() -> None:
    found = objects(Options(clients=("apps",)))
    empty = [one for one in found if one["kind"] in ("Secret", "ConfigMap")]
    assert len(empty) == 3
    assert not any({"data", "stringData", "binaryData"} & set(one) for one in empty)


def test_one_replica_has_no_disruption_budget() -> None:
    found = objects(Options(replicas=1))
    assert the(found, "Deployment")["spec"]["replicas"] == 1
    assert "PodDisruptionBudget" not in {one["kind"] for one in found}


def test_a_mounted_certificate_takes_the_secret_and_the_right_on_it_away() -> None:
    found = objects(Options(extras=frozenset({"tls-mounted"})))
    assert settings(found).tls_mode == "mounted"
    (volume,) = pod(found)["volumes"]
    assert volume["secret"]["secretName"] == "node-slots-certificate"
    (mount,) = pod(found)["containers"][0]["volumeMounts"]
    assert mount["mountPath"] == settings(found).tls_dir
    assert "Secret" not in {one["kind"] for one in found}
    assert "secrets" not in str([one["rules"] for one in found if "rules" in one])


def test_cert_manager_brings_the_mounted_certificate_whatever_else_is_asked_for() -> None:
    with_both = objects(Options(extras=frozenset({"cert-manager", "tls-mounted"})))
    assert with_both == objects(Options(extras=frozenset({"cert-manager"})))
    names = next(
        one["spec"]["dnsNames"]
        for one in objects(Options(name="second", extras=frozenset({"cert-manager"})))
        if one["metadata"]["name"] == "second-certificate"
    )
    assert names[:3] == ["second", "second.velero", "second.velero.svc"]


def test_the_network_policy_lets_in_the_namespaces_of_pools_and_clients() -> None:
    options = Options(pools=("scans/two",), clients=("apps",), extras=frozenset({"network-policy"}))
    spec = the(objects(options), "NetworkPolicy")["spec"]
    (source,) = spec["ingress"][0]["from"]
    (expression,) = source["namespaceSelector"]["matchExpressions"]
    assert expression["values"] == ["velero", "scans", "apps", "monitoring"]


def test_what_the_coordinator_needs_comes_before_it() -> None:
    kinds = [one["kind"] for one in objects(Options(extras=EVERYTHING, clients=("apps",)))]
    assert kinds[-1] == "Deployment"
    assert kinds.index("PriorityLevelConfiguration") < kinds.index("FlowSchema")


def test_the_choices_of_the_command_line_are_all_that_can_be_added() -> None:
    assert tuple(WITH) == tuple(EXTRAS)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"namespace": "No"}, "'No'"),
        ({"name": "1st"}, "'1st'"),
        ({"name": "a" * 51}, "50"),
        ({"replicas": 0}, "at least 1"),
        ({"image": ""}, "image"),
        ({"pools": ("velero/two",)}, "two pools"),
        ({"clients": ("other/apps",)}, "no pool in namespace other"),
        ({"extras": frozenset({"sun"})}, "sun"),
    ],
)
def test_options_that_cannot_work_are_refused_by_name(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionsError, match=told):
        Options(**wrong)


def test_the_environment_of_whoever_installs_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = objects(Options())
    monkeypatch.setenv("NODE_SLOTS_COORDINATOR_CLIENTS", "apps")
    monkeypatch.setenv("NODE_SLOTS_COORDINATOR_LISTEN_PORT", "wrong")
    assert objects(Options()) == before


def test_the_objects_are_new_each_time() -> None:
    first = objects(Options())
    first[0]["metadata"]["labels"]["mine"] = "yes"
    assert "mine" not in yaml.safe_dump_all(objects(Options()))


def test_more_flags_of_serve_reach_the_deployment() -> None:
    found = objects(Options(flags=("--node-cap=4", "--long-wait=60")))
    assert settings(found).node_cap == 4
    assert settings(found).long_wait == 60


@pytest.mark.parametrize(
    "flag", ["--node-cap=0", "--node-cap=many", "--nodecap=4", "4", "--pool=a/b", "--namespace=x"]
)
def test_a_flag_that_serve_would_refuse_is_refused(flag: str) -> None:
    with pytest.raises(OptionsError):
        Options(flags=(flag,))


def test_a_wrong_value_is_refused_with_its_flag() -> None:
    with pytest.raises(OptionsError, match=r"--node-cap: .*integer"):
        Options(flags=("--node-cap=many",))

"""`slot-coordinator velero install`: what governs Velero is printed, and what takes it away."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from coordinator.core.limits import read_config
from coordinator.flags import add_flags, load
from coordinator.injection import Sidecar, policy
from coordinator.install import Options, OptionsError, objects
from coordinator.velero.flags import duration, flags
from coordinator.velero.install import INJECTIONS, KYVERNO, POLICY, WEBHOOK, Governing
from coordinator.velero.install_command import add_install

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.settings import Settings

KINDS = {
    POLICY: ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"],
    WEBHOOK: ["MutatingWebhookConfiguration"],
    KYVERNO: ["MutatingPolicy"],
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs it; what comes back is the exit code, the text and what was said."""

    def _run(*words: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        add_install(parser.add_subparsers())
        told = parser.parse_args(["install", *words])
        code = told.run(told)
        said = capsys.readouterr()
        return code, said.out, said.err

    return _run


def settings(found: list[Any]) -> Settings:
    """What `serve` makes of the Deployment's flags."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    (deployment,) = (one for one in found if one["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    namespace = deployment["metadata"]["namespace"]
    words = [word.replace("$(POD_NAMESPACE)", namespace) for word in container["args"]]
    return load(vars(parser.parse_args(words)))


def ids(found: list[Any]) -> list[tuple[str, str, str]]:
    heads = [(one["kind"], one["metadata"]) for one in found]
    return [(kind, head.get("namespace", ""), head["name"]) for kind, head in heads]


def head_of(text: str) -> str:
    return text.partition("---\n")[0]


@pytest.mark.parametrize("injection", INJECTIONS)
def test_the_coordinator_comes_first_and_the_injection_last(injection: str, run: Any) -> None:
    code, text, _ = run("--print", f"--injection={injection}", "--global-limit=2")
    found = list(yaml.safe_load_all(text))
    assert code == 0
    kinds = [one["kind"] for one in found]
    assert kinds[-len(KINDS[injection]) :] == KINDS[injection]
    assert kinds[-len(KINDS[injection]) - 1] == "Deployment"
    ours = Governing(injection=injection, limit=2)
    assert found == ours.installed()
    assert {*ids(objects(Options()))} < {*ids(found)}


def test_the_policy_is_what_mover_pods_get_and_says_where_the_coordinator_is() -> None:
    governing = Governing(namespace="backup", image="example.org/n:1")
    url = "https://node-slots.backup.svc:8443"
    expected = policy(Sidecar("example.org/n:1", url, "backup"), "backup")
    assert governing.installed()[-2:] == expected
    elsewhere = Governing(namespace="backup", url="https://slots.example.org")
    assert elsewhere.sidecar.url == "https://slots.example.org"


def test_what_is_chosen_reaches_the_coordinator() -> None:
    governing = Governing(restore_headroom=1, prepare_timeout=7200, flags=("--node-cap=4",))
    told = settings(governing.installed())
    assert (told.restore_headroom, told.prepare_timeout, told.node_cap) == (1, 7200, 4)
    assert told.inject_image == "", "only the webhook needs it"


def test_the_coordinator_injects_only_where_it_is_the_webhook() -> None:
    governing = Governing(injection=WEBHOOK, image="example.org/n:1", url="https://s.example.org")
    found = governing.installed()
    told = settings(found)
    assert (told.inject_image, told.inject_url) == ("example.org/n:1", "https://s.example.org")
    (configuration,) = (one for one in found if one["kind"] == "MutatingWebhookConfiguration")
    assert configuration["metadata"]["name"] == told.webhook_configuration


def test_the_webhook_brings_the_right_on_its_own_configuration_and_nothing_else_does() -> None:
    found = Governing(namespace="backup", injection=WEBHOOK).installed()
    rules = [rule for one in found for rule in one.get("rules", ()) if "patch" in rule["verbs"]]
    (rule,) = (rule for rule in rules if "mutatingwebhookconfigurations" in rule["resources"])
    assert rule["resourceNames"] == [found[-1]["metadata"]["name"]]
    (binding,) = (
        one for one in found if ids([one]) == [("ClusterRoleBinding", "", "node-slots-webhook")]
    )
    assert [subject["namespace"] for subject in binding["subjects"]] == ["backup"]
    for other in (POLICY, KYVERNO):
        assert "mutatingwebhook" not in str(Governing(injection=other).installed()).lower()


@pytest.mark.parametrize("extra", ["tls-mounted", "cert-manager"])
def test_with_a_certificate_of_ones_own_the_authority_is_not_the_coordinators(
    extra: str, run: Any
) -> None:
    code, text, _ = run("--print", "--injection=webhook", f"--with={extra}")
    found = list(yaml.safe_load_all(text))
    assert (code, "node-slots-webhook" in text) == (0, False)
    assert "write it yourself" in head_of(text)
    annotations = found[-1]["metadata"].get("annotations", {})
    certificates = [f"{ns}/{name}" for kind, ns, name in ids(found) if kind == "Certificate"]
    if extra == "cert-manager":
        assert annotations["cert-manager.io/inject-ca-from"] in certificates
    assert ("caBundle" in head_of(text)) is (extra == "tls-mounted")


def test_a_network_policy_that_shuts_the_webhook_in_is_warned_of(run: Any) -> None:
    assert "port 8443" in run("--print", "--injection=webhook", "--with=network-policy")[2]
    assert run("--print", "--with=network-policy")[2] == ""


def test_nothing_is_left_of_the_first_namespace_in_another_one() -> None:
    for injection in INJECTIONS:
        text = json.dumps(Governing(namespace="backup", injection=injection).installed())
        for label in ("pod-volume-backup", "pod-volume-restore", "data-upload", "data-download"):
            text = text.replace(f"velero.io/{label}", "")
        assert "velero" not in text.replace("is-a-mover-of-velero", "")


@pytest.mark.parametrize("injection", INJECTIONS)
def test_two_veleros_have_nothing_in_common_once_one_has_a_name_of_its_own(injection: str) -> None:
    """The injection and the rights are the whole cluster's: the second would replace the first."""
    first = Governing(injection=injection, limit=2, extras=frozenset(["flow-schema"]))
    second = replace(first, namespace="backup", name="second")
    assert not set(ids(first.installed())) & set(ids(second.installed()))
    assert not set(ids(first.undone())) & set(ids(second.undone()))
    told = settings(second.installed())
    assert second.sidecar.url == "https://second.backup.svc:8443"
    assert second.sidecar.config_map_ca == told.ca_configmap == "second-ca"
    if injection == WEBHOOK:
        found = second.installed()
        assert told.webhook_configuration == found[-1]["metadata"]["name"] == "second-movers"
        (rule,) = (
            rule for one in found for rule in one.get("rules", ()) if rights_on_webhooks(rule)
        )
        assert rule["resourceNames"] == ["second-movers"]


def rights_on_webhooks(rule: Any) -> bool:
    return "mutatingwebhookconfigurations" in rule["resources"]


def test_the_name_is_an_option_and_stands_in_every_command_of_the_head(run: Any) -> None:
    code, text, _ = run("--print", "--namespace=backup", "--name=second")
    assert (code, "deployment/second-coordinator" in head_of(text)) == (0, True)
    undo = head_of(run("--print", "--undo", "--namespace=backup", "--name=second")[1])
    assert "io/second-movers" in undo
    assert "node-slots-movers" not in undo


@pytest.mark.parametrize("injection", INJECTIONS)
def test_undo_names_exactly_what_install_made_the_injection_first(injection: str, run: Any) -> None:
    words = (f"--injection={injection}", "--global-limit=2", "--with=flow-schema", "--print")
    made = list(yaml.safe_load_all(run(*words)[1]))
    undone = list(yaml.safe_load_all(run(*words, "--undo")[1]))
    assert sorted(ids(undone)) == sorted(ids(made))
    assert len(set(ids(made))) == len(made)
    first = [one["kind"] for one in undone[: len(KINDS[injection])]]
    assert first == KINDS[injection][::-1]
    assert undone[len(first)]["kind"] == "Deployment"
    assert all(set(one) == {"apiVersion", "kind", "metadata"} for one in undone)
    assert "Namespace" not in {one["kind"] for one in undone}


def test_undo_leaves_limits_alone_that_it_was_not_told_of(run: Any) -> None:
    undone = list(yaml.safe_load_all(run("--undo", "--print")[1]))
    assert ("ConfigMap", "velero", "node-slots") not in ids(undone)


def test_limits_are_made_from_a_number_or_a_file_or_left_alone(run: Any, tmp_path: Path) -> None:
    first = next(yaml.safe_load_all(run("--print", "--global-limit=3")[1]))
    assert read_config(first["data"]).limit == 3
    path = tmp_path / "mine.json"
    path.write_text('{"loadConcurrency":{"globalConfig":2,"perNodeConfig":[{"number":0}]}}')
    _, text, said = run("--print", f"--limits={path}")
    assert next(yaml.safe_load_all(text))["data"] == {"mine.json": path.read_text()}
    assert "perNodeConfig[0]" in said
    assert "which is not in here" in head_of(run("--print")[1])


def test_the_head_says_what_velero_needs_in_commands_that_can_be_run(run: Any) -> None:
    _, text, _ = run("--print", "--namespace=backup", "--prepare-timeout=90m")
    arguments = []
    for line in head_of(text).splitlines():
        if " patch daemonset " in line:
            words = shlex.split(line.removeprefix("#"))
            assert words[:3] == ["kubectl", "-n", "backup"]
            (operation,) = json.loads(words[-1])
            arguments.append(operation["value"])
    given = flags(arguments)
    assert duration(given["data-mover-prepare-timeout"]) == 5400
    assert given["node-agent-configmap"] in head_of(text)
    assert settings(list(yaml.safe_load_all(text))).prepare_timeout == 5400


def test_the_config_map_that_the_head_makes_for_velero_is_one_that_velero_takes(run: Any) -> None:
    (line,) = (
        line for line in head_of(run("--print")[1]).splitlines() if "create configmap" in line
    )
    key, _, text = shlex.split(line)[-1].removeprefix("--from-literal=").partition("=")
    rules = read_config({key: text})
    assert (rules.limit, rules.warnings) == (1000, ())


def test_undo_says_what_becomes_of_who_waits_and_how_to_put_veleros_limit_back(run: Any) -> None:
    head = head_of(run("--undo", "--print")[1])
    assert "Movers that wait at this moment" in head
    assert "Velero's own limit back" in head
    assert "mutatingadmissionpolicy.admissionregistration.k8s.io/node-slots-movers" in head


@pytest.mark.parametrize(("words", "verb"), [((), "apply"), (("--undo",), "delete")])
def test_without_print_it_changes_nothing_and_says_what_to_do(
    words: tuple[str, ...], verb: str, run: Any
) -> None:
    code, text, said = run(*words)
    assert (code, text) == (2, "")
    assert f"--print | kubectl {verb}" in said


@pytest.mark.parametrize(
    ("seconds", "text"), [(1800, "30m"), (43200, "12h"), (3600, "3600"), (5400, "1h30m")]
)
def test_the_prepare_timeout_is_taken_as_velero_writes_it(
    seconds: float, text: str, run: Any
) -> None:
    found = list(yaml.safe_load_all(run("--print", f"--prepare-timeout={text}")[1]))
    assert settings(found).prepare_timeout == seconds


@pytest.mark.parametrize(
    "word",
    [
        *("--prepare-timeout=soon", "--prepare-timeout=0", "--prepare-timeout=-1h"),
        *("--url=http://c:8443", "--url=https://c/path", "--url=", "--injection=magic"),
    ],
)
def test_words_that_cannot_be_are_refused_by_name(
    word: str, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run("--print", word)
    assert end.value.code == 2
    assert word.partition("=")[0] in capsys.readouterr().err


def test_what_the_coordinator_would_refuse_is_refused_in_one_line(run: Any) -> None:
    for word in ("--restore-headroom=-1", "--namespace=No!", "--replicas=0", "--flag=--nope=1"):
        code, text, said = run("--print", word)
        assert (code, text, said.count("\n")) == (2, "", 1), word
    with pytest.raises(OptionsError):
        _ = Governing(image="").options


def test_the_default_asks_velero_for_twelve_hours_and_says_so_to_the_coordinator(run: Any) -> None:
    text = run("--print")[1]
    assert "--data-mover-prepare-timeout=12h" in head_of(text)
    assert settings(list(yaml.safe_load_all(text))).prepare_timeout == 12 * 3600

"""The ready-made YAML in deploy/examples: what it promises, and that a real API server takes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from agent_client.cli.main import _parser
from agent_client.hold.files import GATE
from agent_client.hold.identity import identity
from agent_client.settings import Settings
from coordinator.install import Options, objects

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster

EXAMPLES = sorted((Path(__file__).parents[2] / "deploy" / "examples").glob("*.yaml"))
HOLDING = [path for path in EXAMPLES if path.stem != "daemonset"]
PLACES = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
}
BATCH = "/apis/batch/v1/namespaces/{}/"
PLACES |= {"Job": f"{BATCH}jobs", "CronJob": f"{BATCH}cronjobs"}
FOLDER = "/run/node-slots"
ACCESS = "/var/run/secrets/node-slots"


def manifest(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def pod_spec(path: Path) -> Any:
    found = manifest(path)["spec"]
    found = found.get("jobTemplate", {}).get("spec", found)
    return found.get("template", {}).get("spec", found)


def agent(path: Path) -> Any:
    """The container of the agent: the only init container."""
    (found,) = pod_spec(path)["initContainers"]
    return found


def environment(path: Path) -> dict[str, str]:
    """What the kubelet would make of the agent's `env`."""
    pod = {
        "spec.nodeName": "node1",
        "metadata.namespace": "jobs",
        "metadata.name": "pod",
        "metadata.uid": "5f3c-11",
    }
    return {
        one["name"]: one["value"]
        if "value" in one
        else pod[one["valueFrom"]["fieldRef"]["fieldPath"]]
        for one in agent(path)["env"]
    }


@pytest.mark.real
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_real_api_server_takes_it_without_a_warning(path: Path, restricted: Cluster) -> None:
    body = manifest(path)
    place = PLACES[body["kind"]].format(restricted.namespace)
    answer = restricted.api.post(f"{place}?dryRun=All&fieldValidation=Strict", body)
    assert answer.status == 201, answer.raw
    assert answer.headers.get("warning") is None


@pytest.mark.real
def test_a_misspelt_field_would_be_seen(restricted: Cluster) -> None:
    body = manifest(EXAMPLES[-1])
    body["spec"]["initContainers"][0]["restartPolice"] = "Always"
    place = PLACES[body["kind"]].format(restricted.namespace)
    answer = restricted.api.post(f"{place}?dryRun=All&fieldValidation=Strict", body)
    assert answer.status == 400
    assert "restartPolice" in answer.text


def test_all_four_are_there() -> None:
    assert [path.stem for path in EXAMPLES] == ["cronjob", "daemonset", "job", "pod"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_agent_is_a_native_sidecar_and_the_containers_wait_for_it(path: Path) -> None:
    assert agent(path)["restartPolicy"] == "Always"
    assert agent(path)["startupProbe"]["exec"]["command"][0] in ("head", "test"), "no Python"
    assert "livenessProbe" not in agent(path)


@pytest.mark.parametrize("path", HOLDING, ids=lambda path: path.stem)
def test_the_probe_of_hold_waits_at_its_gate_and_gives_up_after_years(path: Path) -> None:
    probe = agent(path)["startupProbe"]
    assert probe["exec"]["command"] == ["head", "-c", "1", f"{FOLDER}/{GATE}"]
    assert probe["timeoutSeconds"] == 3600
    years = probe["failureThreshold"] * probe["periodSeconds"] / (365 * 86400)
    assert years > 50


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_command_line_is_one_that_slot_agent_takes(path: Path) -> None:
    program, *words = agent(path)["command"]
    options = _parser().parse_args(words)
    assert program == "slot-agent"
    assert FOLDER in (options.state_dir if path in HOLDING else options.listen)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_environment_says_all_that_the_agent_must_know(path: Path) -> None:
    environ = environment(path)
    settings = Settings.resolve(environ=environ)
    assert (settings.namespace, settings.node) == ("velero", "node1")
    assert identity(environ, None).pod == "pod"
    assert settings.pod is not None
    assert settings.pod.uid == "5f3c-11"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_agent_has_a_token_of_its_own_audience_and_none_for_the_api_server(path: Path) -> None:
    assert pod_spec(path)["automountServiceAccountToken"] is False
    token, _ = sources(path)
    assert token["serviceAccountToken"]["audience"] == "node-slots"
    assert environment(path)["NODE_SLOTS_TOKEN_FILE"] == f"{ACCESS}/token"
    assert token["serviceAccountToken"]["path"] == "token"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_agent_asks_by_https_and_believes_the_authority_of_the_installation(path: Path) -> None:
    _, authority = sources(path)
    (installed,) = (one for one in objects(Options()) if one["kind"] == "ConfigMap")
    assert authority["configMap"]["name"] == installed["metadata"]["name"]
    (item,) = authority["configMap"]["items"]
    assert environment(path)["NODE_SLOTS_CA_FILE"] == f"{ACCESS}/{item['path']}"
    assert item["key"] == "ca.crt"
    url = urlsplit(environment(path)["NODE_SLOTS_URL"])
    (service,) = (one for one in objects(Options()) if one["kind"] == "Service")
    head = service["metadata"]
    assert (url.scheme, url.hostname) == ("https", f"{head['name']}.{head['namespace']}.svc")
    assert url.port in [port["port"] for port in service["spec"]["ports"]]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_agent_and_coordinator_are_of_one_image(path: Path) -> None:
    assert agent(path)["image"] == Options().image


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_agent_can_write_where_it_must_and_nowhere_else(path: Path) -> None:
    assert agent(path)["securityContext"]["readOnlyRootFilesystem"] is True
    assert {"name": "node-slots", "mountPath": FOLDER} in mounts(path)
    assert "emptyDir" in volume(pod_spec(path), "node-slots")


def test_node_agent_and_sidecar_have_one_uid_and_share_the_sockets_folder() -> None:
    (path,) = set(EXAMPLES) - set(HOLDING)
    (node_agent,) = pod_spec(path)["containers"]
    assert {"name": "node-slots", "mountPath": FOLDER} in node_agent["volumeMounts"]
    assert pod_spec(path)["securityContext"]["runAsUser"]
    for container in (node_agent, agent(path)):
        assert "runAsUser" not in container["securityContext"]


def mounts(path: Path) -> Any:
    return agent(path)["volumeMounts"]


def sources(path: Path) -> Any:
    """What is put together in the folder of ACCESS."""
    assert {"name": "node-slots-access", "mountPath": ACCESS, "readOnly": True} in mounts(path)
    return volume(pod_spec(path), "node-slots-access")["projected"]["sources"]


def volume(spec: Any, name: str) -> Any:
    (found,) = (one for one in spec["volumes"] if one["name"] == name)
    return found

"""deploy/patches: a sidecar beside a node-agent that is there already."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from agent_client.cli.main import _parser
from tests.e2e.cluster import place

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster

pytestmark = pytest.mark.real

PATCH = Path(__file__).parents[2] / "deploy" / "patches" / "node-agent-sidecar.yaml"
STRATEGIC = "application/strategic-merge-patch+json"
NODE_AGENT: dict[str, Any] = {
    "serviceAccountName": "velero",
    "terminationGracePeriodSeconds": 3600,
    "securityContext": {"runAsUser": 0},
    "containers": [
        {
            "name": "node-agent",
            "image": "velero/velero:v1.18.0",
            "command": ["/velero", "node-agent", "server"],
            "volumeMounts": [{"name": "host-pods", "mountPath": "/host_pods"}],
        }
    ],
    "volumes": [{"name": "host-pods", "hostPath": {"path": "/var/lib/kubelet/pods"}}],
}


@pytest.fixture
def patched(cluster: Cluster) -> Any:
    """A node-agent like Velero's after `kubectl patch daemonset node-agent --patch-file`, twice."""
    labels = {"name": "node-agent"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "node-agent", "namespace": cluster.namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": NODE_AGENT},
        },
    }
    cluster.make(place(body), body)
    path = f"{place(body)}/node-agent?fieldValidation=Strict"
    patch = yaml.safe_load(PATCH.read_text())
    for _ in range(2):
        answer = cluster.api.call("PATCH", path, patch, content_type=STRATEGIC)
        assert answer.status == 200, answer.text
        assert answer.headers.get("warning") is None
    return answer.json["spec"]["template"]["spec"]


def test_exactly_one_container_stays_and_the_sidecar_is_a_native_one(patched: Any) -> None:
    (node_agent,) = patched["containers"]
    (sidecar,) = patched["initContainers"]
    assert node_agent["command"] == NODE_AGENT["containers"][0]["command"]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["exec"]["command"][:2] == ["test", "-S"]


def test_what_the_node_agent_had_is_kept(patched: Any) -> None:
    (node_agent,) = patched["containers"]
    assert NODE_AGENT["containers"][0]["volumeMounts"][0] in node_agent["volumeMounts"]
    assert {volume["name"] for volume in patched["volumes"]} >= {"host-pods", "node-slots"}
    assert patched["securityContext"]["runAsUser"] == 0
    assert patched["terminationGracePeriodSeconds"] == 3600


def test_both_containers_reach_the_socket_and_only_the_group_may_use_it(patched: Any) -> None:
    (node_agent,), (sidecar,) = patched["containers"], patched["initContainers"]
    program, *words = sidecar["command"]
    options = _parser().parse_args(words)
    assert (program, options.mode) == ("slot-agent", "0660")
    folder = str(Path(options.listen.removeprefix("unix:")).parent)
    for container in (node_agent, sidecar):
        assert {"name": "node-slots", "mountPath": folder} in container["volumeMounts"]
    assert patched["securityContext"]["fsGroup"] == sidecar["securityContext"]["runAsGroup"]


def test_the_sidecar_has_no_token_for_the_api_server(patched: Any) -> None:
    (sidecar,) = patched["initContainers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in sidecar["volumeMounts"]}
    hidden = mounts["/var/run/secrets/kubernetes.io/serviceaccount"]
    (volume,) = (one for one in patched["volumes"] if one["name"] == hidden)
    assert "emptyDir" in volume

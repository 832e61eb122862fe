"""Which Pods are asked, and on which port."""

from __future__ import annotations

from typing import Any

from coordinator.kubectl.connect.pods import Target, choose, forward_path

SPEC: dict[str, Any] = {"ports": [{"name": "metrics", "port": 1}, {"name": "https", "port": 8443}]}
NAMED: dict[str, Any] = {"ports": [{"name": "https", "port": 443, "targetPort": "api"}]}


def pod(name: str, *, ready: bool = True, phase: str = "Running", **head: Any) -> dict[str, Any]:
    ports = [{"name": "health", "containerPort": 8080}, {"name": "api", "containerPort": 9443}]
    return {
        "metadata": {"name": name, "namespace": "velero", **head},
        "spec": {"containers": [{"name": "proxy"}, {"name": "coordinator", "ports": ports}]},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }


def test_ready_pods_come_first_then_those_that_run() -> None:
    found = choose(SPEC, [pod("a", ready=False), pod("c"), pod("b")])
    assert [(one.pod, one.ready) for one in found] == [("b", True), ("c", True), ("a", False)]


def test_pods_that_go_or_have_not_begun_are_left_out() -> None:
    going = pod("going", deletionTimestamp="2027-01-01T00:00:00Z")
    assert choose(SPEC, [going, pod("new", phase="Pending"), pod("old", phase="Failed")]) == []


def test_the_port_is_that_of_the_pod_behind_the_services_https() -> None:
    number = {"ports": [{"name": "https", "port": 443, "targetPort": 7443}]}
    only = {"ports": [{"port": 5443}]}
    asked = (SPEC, NAMED, number, only)
    assert [choose(spec, [pod("a")])[0].port for spec in asked] == [8443, 9443, 7443, 5443]


def test_a_pod_without_the_named_port_is_none() -> None:
    unnamed = pod("a")
    del unnamed["spec"]["containers"][1]["ports"]
    assert choose(NAMED, [unnamed]) == []
    assert choose({"ports": []}, [pod("a")]) == []


def test_the_path_asks_for_one_port() -> None:
    path = forward_path(Target("velero", "a", 8443, ready=True))
    assert path == "/api/v1/namespaces/velero/pods/a/portforward?ports=8443"

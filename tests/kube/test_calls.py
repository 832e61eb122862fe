"""A request is told in the words of a Role's rules."""

from __future__ import annotations

import pytest

from coordinator.kube.calls import Call, call_of, resource_path

LEASES = "/apis/coordination.k8s.io/v1/namespaces/velero/leases"


@pytest.mark.parametrize(
    ("method", "path", "params", "expected"),
    [
        ("GET", LEASES, {}, Call("list", "leases.coordination.k8s.io", "velero")),
        ("GET", LEASES, {"watch": "1"}, Call("watch", "leases.coordination.k8s.io", "velero")),
        ("POST", LEASES, {}, Call("create", "leases.coordination.k8s.io", "velero")),
        ("PUT", LEASES + "/a", {}, Call("update", "leases.coordination.k8s.io", "velero", "a")),
        ("DELETE", LEASES + "/a", {}, Call("delete", "leases.coordination.k8s.io", "velero", "a")),
        ("DELETE", LEASES, {}, Call("deletecollection", "leases.coordination.k8s.io", "velero")),
        ("GET", "/api/v1/nodes", {}, Call("list", "nodes")),
        ("GET", "/api/v1/nodes/n1", {}, Call("get", "nodes", "", "n1")),
        ("GET", "/api/v1/namespaces/velero", {}, Call("get", "namespaces", "", "velero")),
        (
            "POST",
            "/apis/authentication.k8s.io/v1/tokenreviews",
            {},
            Call("create", "tokenreviews.authentication.k8s.io"),
        ),
        (
            "PATCH",
            "/api/v1/namespaces/a/pods/p/status",
            {},
            Call("patch", "pods/status", "a", "p"),
        ),
        ("GET", "/readyz", {}, Call("get", "/readyz")),
    ],
)
def test_method_and_path_tell_the_call(
    method: str, path: str, params: dict[str, str], expected: Call
) -> None:
    assert call_of(method, path, params) == expected


def test_a_call_reads_as_a_sentence() -> None:
    assert str(Call("update", "leases.coordination.k8s.io", "velero", "a")) == (
        'update leases.coordination.k8s.io "a" in namespace velero'
    )


def test_a_path_leads_back_to_its_call() -> None:
    path = resource_path("leases", "velero", "node 1", api="apis/coordination.k8s.io/v1")
    assert path == LEASES + "/node%201"
    assert call_of("GET", path).name == "node 1"


@pytest.mark.parametrize("name", [".", "..", "a/b", "../secrets/x"])
def test_a_name_that_would_change_the_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="would change the path"):
        resource_path("leases", "velero", name)

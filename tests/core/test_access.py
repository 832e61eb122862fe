"""Who may claim where, and which Pod a reviewed token belongs to."""

from __future__ import annotations

import pytest

from coordinator.core.access import (
    Admissions,
    AgentPod,
    Caller,
    ClientNamespace,
    agent_of,
)

EXTRA = "authentication.kubernetes.io/"
BOUND = {
    EXTRA + "pod-name": ("agent-x",),
    EXTRA + "pod-uid": ("uid-1",),
    EXTRA + "node-name": ("node1",),
}
USER = "system:serviceaccount:velero:agent"


def test_a_pool_admits_its_own_namespace_and_those_named_for_it_alone() -> None:
    two = Admissions(["a", "b"], [ClientNamespace("a", "jobs", 5), ClientNamespace("b", "scans")])
    admitted = {
        (pool, namespace)
        for pool in ("a", "b", "c")
        for namespace in ("a", "b", "c", "jobs", "scans", "")
        if two.admits(pool, namespace)
    }
    assert admitted == {("a", "a"), ("b", "b"), ("a", "jobs"), ("b", "scans")}
    assert two.namespaces() == ["a", "b", "jobs", "scans"]


def test_a_priority_is_bounded_only_where_a_bound_was_given() -> None:
    one = Admissions(["a"], [ClientNamespace("a", "jobs", 0), ClientNamespace("a", "scans")])
    bounds = [one.max_priority("a", name) for name in ("a", "jobs", "scans", "others")]
    assert bounds == [None, 0, None, None]


def test_a_namespace_of_two_pools_has_each_pools_bound() -> None:
    both = [ClientNamespace("a", "jobs", 1), ClientNamespace("b", "jobs", 9)]
    two = Admissions(["a", "b"], both)
    assert (two.max_priority("a", "jobs"), two.max_priority("b", "jobs")) == (1, 9)
    assert two.namespaces() == ["a", "b", "jobs"]


@pytest.mark.parametrize("bounds", [(3, 7), (7, 3), (None, 3), (3, None)])
def test_of_two_bounds_for_one_namespace_the_lower_one_counts(
    bounds: tuple[int | None, int | None],
) -> None:
    one = Admissions(["a"], [ClientNamespace("a", "jobs", most) for most in bounds])
    assert one.max_priority("a", "jobs") == 3


def test_the_pools_own_namespace_can_be_bounded_by_naming_it() -> None:
    one = Admissions(["a"], [ClientNamespace("a", "a", -2)])
    assert one.max_priority("a", "a") == -2


def test_a_bound_token_tells_its_pod_and_its_owner() -> None:
    pod = agent_of(Caller(USER, extra=BOUND))
    assert pod == AgentPod("velero", "agent", "agent-x", "uid-1", "node1")
    assert pod.owner == "velero/agent"


def test_the_node_is_unknown_where_an_older_server_does_not_tell_it() -> None:
    older = {key: value for key, value in BOUND.items() if "node" not in key}
    assert agent_of(Caller(USER, extra=older)) == AgentPod(
        "velero", "agent", "agent-x", "uid-1", ""
    )


@pytest.mark.parametrize(
    "username",
    [
        "alice",
        "system:serviceaccount:velero",
        "system:serviceaccount:velero:",
        "system:serviceaccount::agent",
        "prefix:system:serviceaccount:velero:agent",
        "",
    ],
)
def test_only_a_service_accounts_token_is_a_pods(username: str) -> None:
    assert agent_of(Caller(username, extra=BOUND)) is None


@pytest.mark.parametrize("key", ["pod-name", "pod-uid"])
@pytest.mark.parametrize("values", [(), ("",), ("one", "two")])
def test_what_does_not_name_exactly_one_pod_is_no_agents_token(
    key: str, values: tuple[str, ...]
) -> None:
    assert agent_of(Caller(USER, extra={**BOUND, EXTRA + key: values})) is None


def test_a_token_bound_to_a_node_or_to_nothing_is_no_agents() -> None:
    of_node = {EXTRA + "node-name": ("node1",), EXTRA + "node-uid": ("uid-n",)}
    assert agent_of(Caller(USER, extra=of_node)) is None
    assert agent_of(Caller(USER)) is None

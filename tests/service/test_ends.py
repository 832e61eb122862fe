"""Whether a Pod has ended for good: phases, restart policies, and rules of containers."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.service.ends import ended

DONE: dict[str, Any] = {"terminated": {"exitCode": 0, "reason": "Completed"}}
FAILED: dict[str, Any] = {"terminated": {"exitCode": 42, "reason": "Error"}}
RUNS: dict[str, Any] = {"running": {}}
ON_42 = {"operator": "In", "values": [42]}
NOT_42 = {"operator": "NotIn", "values": [42]}


def pod(
    *states: dict[str, Any],
    policy: str = "Never",
    containers: list[dict[str, Any]] | None = None,
    phase: str = "Running",
    conditions: tuple[dict[str, str], ...] = (),
    **head: Any,
) -> dict[str, Any]:
    own = containers or [{"name": f"c{n}"} for n in range(max(1, len(states)))]
    statuses = [{"name": f"c{n}", "state": state} for n, state in enumerate(states)]
    status = {"phase": phase, "containerStatuses": statuses, "conditions": list(conditions)}
    spec = {"restartPolicy": policy, "containers": own}
    return {"metadata": {"name": "load", **head}, "spec": spec, "status": status}


def with_rule(action: str, on: dict[str, Any] | None, policy: str = "Never") -> dict[str, Any]:
    rule = {"action": action} | ({"exitCodes": on} if on else {})
    return {"name": "c0", "restartPolicy": policy, "restartPolicyRules": [rule]}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_a_phase_that_says_so_is_the_end_whatever_the_policy(phase: str, policy: str) -> None:
    assert ended(pod(RUNS, phase=phase, policy=policy))


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown", ""])
def test_no_other_phase_is(phase: str) -> None:
    assert not ended(pod(RUNS, phase=phase))
    assert not ended({"metadata": {}, "spec": {}, "status": {"phase": phase}})
    assert not ended({"metadata": {}, "spec": {}})


@pytest.mark.parametrize(
    ("policy", "done", "failed"),
    [("Never", True, True), ("OnFailure", True, False), ("Always", False, False)],
)
def test_containers_that_ended_stay_so_as_the_restart_policy_has_it(
    policy: str, done: bool, failed: bool
) -> None:
    assert ended(pod(DONE, policy=policy)) == done
    assert ended(pod(FAILED, policy=policy)) == failed
    assert ended(pod(DONE, FAILED, policy=policy)) == (done and failed)


def test_every_container_of_its_own_must_have_ended() -> None:
    assert ended(pod(DONE, FAILED))
    assert not ended(pod(DONE, RUNS))
    assert not ended(pod(DONE, {"waiting": {"reason": "CrashLoopBackOff"}}))
    assert not ended(pod(DONE, {}))
    assert not ended(pod(DONE, containers=[{"name": "c0"}, {"name": "c1"}]))


def test_a_sidecar_that_still_runs_does_not_count() -> None:
    found = pod(DONE)
    found["spec"]["initContainers"] = [{"name": "agent", "restartPolicy": "Always"}]
    found["status"]["initContainerStatuses"] = [{"name": "agent", "state": RUNS}]
    assert ended(found)


def test_a_pod_that_is_being_deleted_runs_until_its_containers_have_ended() -> None:
    assert not ended(pod(RUNS, deletionTimestamp="2026-01-02T03:04:05Z"))
    assert ended(pod(DONE, deletionTimestamp="2026-01-02T03:04:05Z"))


@pytest.mark.parametrize("reason", ["PodInitializing", "ContainerCreating"])
def test_a_deleted_pod_whose_containers_never_started_has_ended_when_its_phase_says_so(
    reason: str,
) -> None:
    """Its sidecar is gone, and nothing says that the kubelet knew of the deletion by then."""
    waits: dict[str, Any] = {"waiting": {"reason": reason}}
    found = pod(waits, phase="Pending", deletionTimestamp="2026-01-02T03:04:05Z")
    found["spec"]["initContainers"] = [{"name": "hold", "restartPolicy": "Always"}]
    found["status"]["initContainerStatuses"] = [{"name": "hold", "state": DONE}]
    assert not ended(found)
    found["status"]["phase"] = "Failed"
    assert ended(found)


@pytest.mark.parametrize(
    ("container", "state", "over"),
    [
        ({"name": "c0", "restartPolicy": "Always"}, DONE, False),
        ({"name": "c0", "restartPolicy": "OnFailure"}, FAILED, False),
        ({"name": "c0", "restartPolicy": "OnFailure"}, DONE, True),
        ({"name": "c0", "restartPolicy": "Never"}, FAILED, True),
        (with_rule("Restart", ON_42), FAILED, False),
        (with_rule("Restart", ON_42), DONE, True),
        (with_rule("Restart", NOT_42), FAILED, True),
        (with_rule("Restart", NOT_42), DONE, False),
        (with_rule("RestartAllContainers", ON_42), FAILED, False),
        (with_rule("Restart", {"operator": "Between", "values": [0, 9]}), DONE, False),
        (with_rule("Restart", None), DONE, False),
    ],
)
def test_a_containers_own_policy_and_rules_come_before_the_pods(
    container: dict[str, Any], state: dict[str, Any], over: bool
) -> None:
    policy = "Always" if over else "Never"
    assert ended(pod(state, containers=[container], policy=policy)) == over


def test_a_pod_all_of_whose_containers_are_being_restarted_has_not_ended() -> None:
    condition = {"type": "AllContainersRestarting", "status": "True"}
    assert not ended(pod(DONE, DONE, conditions=(condition,)))
    assert ended(pod(DONE, DONE, conditions=(condition | {"status": "False"},)))
    removed = {"terminated": {"exitCode": 137, "reason": "RestartingAllContainers"}}
    assert not ended(pod(DONE, removed))


def test_a_pod_that_only_the_garbage_collector_calls_failed_may_still_run() -> None:
    """Its node is gone or out of service: nobody there has said that its processes ended."""
    guess = {"type": "DisruptionTarget", "status": "True", "reason": "DeletionByPodGC"}
    assert not ended(pod(RUNS, phase="Failed", conditions=(guess,)))
    evicted = guess | {"reason": "EvictionByEvictionAPI"}
    assert ended(pod(RUNS, phase="Failed", conditions=(evicted,)))

"""Whether a Pod has ended for good, as the kubelet reckons it.

The model is Kubernetes 1.36: `getPhase` in `pkg/kubelet/kubelet_pods.go` and
`ContainerShouldRestart` in `pkg/api/v1/pod/util.go`, with the restart rules of KEP-5307 and
KEP-5532. What is not understood counts as running.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def ended(pod: Json) -> bool:
    """Whether its phase says so, or every container of its own has ended and stays so.

    Sidecars are init containers (KEP-753), so they are not among its `containers`. A Pod that is
    being deleted runs until its containers have ended like those of any other. One that was never
    started proves nothing there: the deletionTimestamp is the API server's, and the kubelet starts
    a container before it says so. Once it has stopped all there was it writes the phase Failed
    (`TerminatePod` in `pkg/kubelet/status`), and that is the proof.
    """
    status = pod.get("status") or {}
    if status.get("phase") in {"Succeeded", "Failed"}:
        return not _written_off(status)
    containers = pod["spec"].get("containers") or []
    states = {one.get("name"): one.get("state") for one in status.get("containerStatuses") or ()}
    if not containers or _condition(status, "AllContainersRestarting"):
        return False
    return all(_over(pod["spec"], one, states.get(one.get("name")) or {}) for one in containers)


def _written_off(status: Json) -> bool:
    """Whether nobody on the node said so: the Pod's node is gone or out of service, and the Pod
    garbage collector set the phase (`pkg/controller/podgc`). Its processes may live on.
    """
    found = _condition(status, "DisruptionTarget")
    return found is not None and found.get("reason") == "DeletionByPodGC"


def _condition(status: Json, kind: str) -> Json | None:
    conditions: list[Json] = status.get("conditions") or []
    true = (one for one in conditions if one.get("status") == "True")
    return next((one for one in true if one.get("type") == kind), None)


def _over(spec: Json, container: Json, state: Json) -> bool:
    """Whether the container has ended, and nothing will start it again."""
    end = state.get("terminated")
    if end is None or end.get("reason") == "RestartingAllContainers":
        return False
    code = end.get("exitCode")
    if any(_may_restart(rule, code) for rule in container.get("restartPolicyRules") or ()):
        return False
    policy = container.get("restartPolicy") or spec.get("restartPolicy")
    return policy == "Never" or (policy == "OnFailure" and code == 0)


def _may_restart(rule: Json, code: object) -> bool:
    """Whether the rule speaks of this exit code; every action that there is restarts something."""
    on = rule.get("exitCodes") or {}
    named = code in (on.get("values") or ())
    match on.get("operator"):
        case "In":
            return named
        case "NotIn":
            return not named
        case _:
            return True

"""What each of the coordinator's rights is for, as something that comes about only with it.

A probe is tried again and again; it does what makes the coordinator use the right, and tells
whether that has worked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.cluster import limits
from tests.e2e.kubelet import be_ready
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.scene import Scene

    Probe = Callable[[Scene], bool]

SHORT = 10
"""Seconds; the shortest TTL."""


def serves(scene: Scene) -> bool:
    """There is a certificate to listen with."""
    return scene.site.coordinator.logged("listening") != []


def grants(scene: Scene) -> bool:
    return scene.holds("granted")


def answers_people(scene: Scene) -> bool:
    return scene.limit() > 0


def publishes(scene: Scene) -> bool:
    return scene.site.mount.sync()


def publishes_to_clients(scene: Scene) -> bool:
    name = scene.site.installation.authority
    path = f"/api/v1/namespaces/{scene.client}/configmaps/{name}"
    return bool(scene.cluster.api.get(path).json.get("data"))


def publishes_to_the_webhook(scene: Scene) -> bool:
    return scene.webhook is not None and scene.webhook.bundle != b""


# --- nodes and limits -----------------------------------------------------------------------------


def reads_limits(scene: Scene) -> bool:
    return scene.limit() == 2


def follows_limits(scene: Scene) -> bool:
    if scene.once("limit", lambda: scene.limit() == 2):
        scene.do_once("edit", lambda: scene.cluster.configure(limits(3)))
    return scene.limit() == 3


def follows_labels(scene: Scene) -> bool:
    if scene.once("limit", lambda: scene.limit() == 2):
        scene.do_once("rule", lambda: scene.cluster.configure(limits(2, big=3)))
        scene.do_once("label", lambda: scene.cluster.label(scene.node, tier="big"))
    return scene.limit() == 3


def frees_who_is_silent(scene: Scene) -> bool:
    """A holder whose Pod is gone loses its slot, once its node is known to be well."""
    be_ready(scene.cluster, scene.node)
    pod = scene.pod(scene.cluster.namespace)

    def held_and_gone() -> bool:
        held = scene.holds("silent", ttlSeconds=SHORT, pod=pod)
        if held:
            scene.cluster.delete_pod(pod["name"])
        return held

    return scene.once("silent", held_and_gone) and scene.is_free("silent")


# --- Leases ---------------------------------------------------------------------------------------


def removes_surplus(scene: Scene) -> bool:
    """A free Lease above the limit goes."""

    def left() -> bool:
        if not (scene.holds("first") and scene.holds("second")):
            return False
        scene.site.release(scene.node, "second")
        scene.cluster.configure(limits(1))
        return True

    return scene.once("left", left) and f"{scene.node}-slot-1" not in scene.cluster.leases()


def sees_the_operators_hand(scene: Scene) -> bool:
    """A holder that was cleared by hand is no holder any more."""

    def cleared() -> bool:
        held = scene.holds("cleared")
        if held:
            scene.cluster.clear_holder(f"{scene.node}-slot-0")
        return held

    return scene.once("cleared", cleared) and scene.look().get("held") == 0


# --- Pods -----------------------------------------------------------------------------------------


def looks_at_the_loads_pod(scene: Scene) -> bool:
    return scene.holds("looked-at", pod=scene.pod(scene.cluster.namespace))


def looks_at_a_clients_pod(scene: Scene) -> bool:
    return scene.holds("looked-at", scene.as_client(), pod=scene.pod(scene.client))


def sees_the_end(scene: Scene) -> bool:
    """A Pod that has finished gives its slot back long before the TTL."""
    return _sees_the_end(scene, scene.cluster.namespace, looks_at_the_loads_pod)


def sees_a_clients_end(scene: Scene) -> bool:
    return _sees_the_end(scene, scene.client, looks_at_a_clients_pod)


def _sees_the_end(scene: Scene, namespace: str, held: Probe) -> bool:
    def end() -> None:
        until(lambda: held(scene), "a slot for the Pod")
        until(scene.has_listed_pods_again, "the leader's second list of Pods")
        scene.finish(scene.pod(namespace))

    scene.do_once("ended", end)
    return scene.is_free("looked-at")


# --- Events ---------------------------------------------------------------------------------------


def tells_of_a_refusal(scene: Scene) -> bool:
    scene.do_once("broken", lambda: scene.cluster.configure("{"))
    return scene.counts(scene.cluster.namespace) != []


def counts_refusals(scene: Scene) -> bool:
    """The same news once more is the same Event, counted up."""
    pool = scene.tried(lambda: scene.site.coordinator.api.get(scene.site.pool_path), "text")
    scene.cluster.configure("{" if '"accepted":true' in pool else limits(2))
    return max(scene.counts(scene.cluster.namespace), default=0) > 1


def tells_clients_of_a_wait(scene: Scene) -> bool:
    if scene.holds("first") and scene.holds("second"):
        _wait_as_client(scene, 1)
    return scene.counts(scene.client) != []


def counts_a_clients_waits(scene: Scene) -> bool:
    """The same load waits anew each time that it was told of."""
    if scene.holds("first") and scene.holds("second"):
        number = sum(scene.counts(scene.client))
        path = scene.site.claim_path(scene.node, f"waiting-{number - 1}")
        scene.tried(lambda: scene.as_client().delete(path), "status")
        _wait_as_client(scene, number)
    return max(scene.counts(scene.client), default=0) > 1


def _wait_as_client(scene: Scene, number: int) -> None:
    pod = scene.pod(scene.client)
    scene.holds(f"waiting-{number}", scene.as_client(), load="waiting", pod=pod)


PROBES: dict[str, Probe] = {
    "cluster: get nodes": frees_who_is_silent,
    "cluster: list nodes": grants,
    "cluster: watch nodes": follows_labels,
    "cluster: create tokenreviews": grants,
    "cluster: create subjectaccessreviews": answers_people,
    "home: get secrets": serves,
    "home: update secrets": serves,
    "pool: get leases": grants,
    "pool: list leases": grants,
    "pool: watch leases": sees_the_operators_hand,
    "pool: create leases": grants,
    "pool: update leases": grants,
    "pool: delete leases": removes_surplus,
    "pool: list configmaps": reads_limits,
    "pool: watch configmaps": follows_limits,
    "pool: update configmaps": publishes,
    "pool: get pods": looks_at_the_loads_pod,
    "pool: list pods": sees_the_end,
    "pool: watch pods": sees_the_end,
    "pool: create events": tells_of_a_refusal,
    "pool: patch events": counts_refusals,
    "client: get pods": looks_at_a_clients_pod,
    "client: list pods": sees_a_clients_end,
    "client: watch pods": sees_a_clients_end,
    "client: create events": tells_clients_of_a_wait,
    "client: patch events": counts_a_clients_waits,
    "client: update configmaps": publishes_to_clients,
}
WEBHOOK_PROBES: dict[str, Probe] = {
    "cluster: patch mutatingwebhookconfigurations": publishes_to_the_webhook,
}
"""Of what only an installation needs whose coordinator serves the webhook."""

"""How the sidecar would get into mover Pods on this cluster, and whether it does. Pure.

MutatingAdmissionPolicy (KEP-3962) is alpha in Kubernetes 1.32, beta in 1.34 and off by default,
on in 1.36; ours is written for v1. A webhook's matchConditions are on by default since 1.28.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.core.words import count, names
from coordinator.install.defaults import NAME
from coordinator.velero.check_model import Finding, Injected, Level, Way

if TYPE_CHECKING:
    from coordinator.velero.check_model import Own, Served
    from coordinator.velero.world import World

ABOUT = "injection"
_ALONE = "each mover waits for ten minutes, and then starts without a slot"
"""What `--if-unavailable run --unavailable-after 600` of the sidecar does."""
_KINDS = {
    Way.POLICY: "MutatingAdmissionPolicy",
    Way.WEBHOOK: "MutatingWebhookConfiguration",
    Way.KYVERNO: "Kyverno policy",
}


def injection(world: World, own: Own) -> list[Finding]:
    """Which ways there are and which is in force; the coordinator; movers that it missed."""
    return [*_ways(world, own), *_coordinator(own), *_ungoverned(world, own)]


def best(served: Served) -> Way:
    """What to use: no server of ours in the path where the cluster can do it alone."""
    return Way.POLICY if served.policy == "v1" else Way.WEBHOOK


def _ways(world: World, own: Own) -> list[Finding]:
    if own.injected:
        return [_in_force(world, one) for one in own.injected]
    if own.served is None:
        return [Finding(Level.NOTE, ABOUT, "which ways there are could not be read")]
    level = Level.WARNING if own.coordinator else Level.NOTE
    way = best(own.served)
    flags = "" if own.coordinator else " --global-limit 2"
    namespace = "" if world.namespace == "velero" else f" --namespace {world.namespace}"
    name = "" if own.name == NAME else f" --name {own.name}"
    install = (
        f"slot-coordinator velero install --print --injection {way}{namespace}{name}{flags}"
        " | kubectl apply --server-side -f -"
    )
    text = f"nothing injects the sidecar yet. This cluster has {_available(own.served)}"
    return [Finding(level, ABOUT, text, "install it, with limits of yours", (install,))]


def _available(served: Served) -> str:
    beta = f"MutatingAdmissionPolicy as {served.policy} only (v1 comes with 1.36)"
    ways = [
        "MutatingAdmissionPolicy v1" if served.policy == "v1" else "",
        beta if served.policy not in ("", "v1") else "",
        "webhooks" if served.webhook else "",
        "Kyverno" if served.kyverno else "",
    ]
    return ", ".join(way for way in ways if way) or "none of the ways"


def _in_force(world: World, one: Injected) -> Finding:
    text = f"{_KINDS[one.way]} {one.name}"
    if one.fault:
        again = f"slot-coordinator velero install --print --injection {one.way}"
        todo = f"apply what `{again}` prints"
        if one.elsewhere:
            todo = (
                f"leave it to the Velero of namespace {one.elsewhere}; this one gets its own with"
                f" another --name of `{again} --namespace {world.namespace}`, and of this command"
            )
        return Finding(Level.ERROR, ABOUT, f"{text}: {one.fault}", todo)
    return Finding(Level.OK, ABOUT, f"{text} is there")


def _coordinator(own: Own) -> list[Finding]:
    found, about = own.coordinator, "coordinator"
    if found is None:
        if all(one.elsewhere for one in own.injected):
            return [Finding(Level.NOTE, about, f"no Deployment {own.name}-coordinator yet")]
        return [
            Finding(
                Level.ERROR,
                about,
                f"there is no Deployment {own.name}-coordinator, and movers get a sidecar that"
                f" waits for it: {_ALONE}",
                "install the coordinator, or take the injection away with `slot-coordinator velero"
                " install --undo`",
            )
        ]
    text = f"{found.name}: {found.ready} of {count(found.desired, 'replica')} ready"
    if found.ready == 0:
        return [Finding(Level.ERROR, about, text, f"see its Pods: {_ALONE}")]
    if found.ready < found.desired:
        return [Finding(Level.WARNING, about, text, "see the Pods that are not")]
    return [Finding(Level.OK, about, text)]


def _ungoverned(world: World, own: Own) -> list[Finding]:
    """Movers that exist and run without a slot."""
    missed = [
        mover.name
        for mover in world.movers
        if not mover.governed and not mover.windows and mover.phase not in ("Succeeded", "Failed")
    ]
    if not missed:
        return []
    verb = "is" if len(missed) == 1 else "are"
    text = f"{count(len(missed), 'mover')} {verb} not governed now: {names(missed)}"
    if not own.injected:
        return [Finding(Level.NOTE, "movers", text)]
    return [
        Finding(
            Level.WARNING,
            "movers",
            text,
            "they were made before the injection, or while nobody answered the webhook; they go on"
            " without a slot",
        )
    ]

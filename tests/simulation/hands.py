"""What operators, kubelets and etcd's keepers do to the store, past every process's request."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from coordinator.embedded import objects
from coordinator.embedded.errors import ApiError
from coordinator.embedded.history import History, entry
from coordinator.embedded.resources import CONFIG_MAPS, LEASES, NODES
from tests.simulation.configs import BAD, Limits, drawn

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.world import World

NS, CONFIG = "velero", "limits"
RESTORED = 100
"""The version that a restored etcd begins at; a fresh one begins far above."""

Json = dict[str, Any]


def set_limits(world: World, rng: Random | None = None) -> None:
    """Good limits; without a source of chance two for everybody."""
    put_config(world, world.configs.data(drawn(rng) if rng else Limits(2)))


def break_limits(world: World, rng: Random) -> None:
    """A text that is to be refused, or no ConfigMap at all."""
    if rng.random() < 0.3:
        with suppress(ApiError):
            world.store.delete(CONFIG_MAPS, NS, CONFIG)
        return
    put_config(world, rng.choice(BAD))


def put_config(world: World, data: dict[str, str]) -> None:
    obj = objects.config_map(NS, CONFIG, dict(data))
    try:
        world.store.update(CONFIG_MAPS, NS, CONFIG, obj)
    except ApiError:
        world.store.create(CONFIG_MAPS, NS, obj)


# --- nodes --------------------------------------------------------------------------------------


def patch_node(world: World, node: str, head: Json) -> None:
    with suppress(ApiError):
        world.store.patch(NODES, "", node, {"metadata": head})


def label(world: World, node: str, size: str | None) -> None:
    patch_node(world, node, {"labels": {"size": size}})


def hold(world: World, node: str, reason: str | None) -> None:
    patch_node(world, node, {"annotations": {"nodeslots.io/hold": reason}})


def remove_node(world: World, node: str) -> None:
    with suppress(ApiError):
        world.store.delete(NODES, "", node)


def add_node(world: World, node: str) -> None:
    with suppress(ApiError):
        objects.put(world.store, objects.node(node))


def ready(world: World, node: str, status: str) -> None:
    conditions = [{"type": "Ready", "status": status}]
    with suppress(ApiError):
        world.store.patch(
            NODES, "", node, {"status": {"conditions": conditions}}, subresource="status"
        )


# --- Leases -------------------------------------------------------------------------------------


def slot_names(world: World) -> list[str]:
    """The Leases of slots that there are."""
    return sorted(world.watcher.truth.leases)


def any_slot(world: World, rng: Random) -> str:
    names = slot_names(world)
    return rng.choice(names) if names else ""


def patch_lease(world: World, name: str, change: Json) -> None:
    with suppress(ApiError):
        world.store.patch(LEASES, NS, name, change)


def label_lease(world: World, rng: Random) -> None:
    patch_lease(world, any_slot(world, rng), {"metadata": {"labels": {"seen": str(rng.random())}}})


def delete_lease(world: World, rng: Random) -> None:
    remove_lease(world, any_slot(world, rng))


def remove_lease(world: World, name: str) -> None:
    with suppress(ApiError):
        world.store.delete(LEASES, NS, name)


def clear_holder(world: World, rng: Random) -> None:
    patch_lease(world, any_slot(world, rng), {"spec": {"holderIdentity": None}})


def foreign_lease(world: World, rng: Random) -> str:
    """Somebody else's Lease under the name of a slot that is not there."""
    name = f"{rng.choice(world.nodes)}-slot-{rng.randint(0, 2)}"
    if name in world.watcher.truth.leases:
        return ""
    objects.put(world.store, objects.lease(NS, name, "somebody-else"))
    return name


def begin_deletion(world: World, rng: Random) -> str:
    """Its Lease is on its way out, held up by a finalizer."""
    name = any_slot(world, rng)
    patch_lease(world, name, {"metadata": {"finalizers": ["example.com/wait"]}})
    remove_lease(world, name)
    return name


def finish_deletion(world: World, name: str) -> None:
    patch_lease(world, name, {"metadata": {"finalizers": None}})


def heal_leases(world: World) -> None:
    """No foreign Lease, and none that cannot go."""
    for name, seen in sorted(world.watcher.truth.leases.items()):
        if seen.blocked:
            finish_deletion(world, name)
            remove_lease(world, name)


# --- etcd ---------------------------------------------------------------------------------------


def begin_high(world: World) -> None:
    """An old cluster: its versions are far above those that a restored etcd begins at."""
    world.store.version = 10_000
    world.store.history = History(10_000)


def restore(world: World) -> bool:
    """etcd comes back with the same objects under lower versions, and every watch breaks.

    Returns False where it did already: versions that were used may not come again.
    """
    if world.store.version < 10_000:
        return False
    world.watcher.restored()
    world.store.version = RESTORED
    for table in world.store._tables.values():
        for key, old in table.items():
            world.store.version += 1
            obj = {**old.view, "metadata": dict(old.view["metadata"])}
            table[key] = entry(key, world.store.version, obj)
    world.store.history = History(world.store.version)
    world.watcher.reread()
    for lines in list(world.api.streams):
        lines.cut()
    return True

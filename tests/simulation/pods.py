"""Pods of loads: made on a node, finished by their load, by their kubelet, or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_client.messages import Pod
from coordinator.embedded import objects
from coordinator.embedded.deletion import Options
from coordinator.embedded.errors import ApiError
from coordinator.embedded.resources import PODS

if TYPE_CHECKING:
    from random import Random

    from tests.simulation.world import World

NS = "work"


class Pods:
    """Which Pods there are, and which have really ended (`ended`: by uid)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.live: dict[str, Pod] = {}
        self.ended: dict[str, float] = {}
        self.deleted: dict[str, None] = {}

    def running(self) -> set[str]:
        """The uids of Pods that can be seen to run on a node that is Ready."""
        return {pod.uid for name, pod in self.live.items() if name not in self.deleted}

    def start(self, name: str, node: str) -> Pod:
        """A running Pod."""
        made = objects.put(self._world.store, objects.pod(NS, name, node))
        pod = Pod(NS, name, made["metadata"]["uid"])
        self.live[name] = pod
        return pod

    def finish(self, pod: Pod | None) -> None:
        """Its containers have ended, and the kubelet says so."""
        if pod is None or pod.name not in self.live:
            return
        del self.live[pod.name]
        self.ended[pod.uid] = self._world.loop.time()
        try:
            status = {"status": {"phase": "Succeeded"}}
            self._world.store.patch(PODS, NS, pod.name, status, subresource="status")
        except ApiError:
            return

    def end_one(self, rng: Random) -> None:
        """The containers of some load's Pod end, whatever its agent believes."""
        if self.live:
            self.finish(self.live[rng.choice(sorted(self.live))])

    def delete_one(self, rng: Random) -> None:
        """Some load's Pod vanishes."""
        if self.live:
            self.delete(rng.choice(sorted(self.live)))

    def delete(self, name: str) -> None:
        """With grace 0, as Velero does it: its processes may live on."""
        self.deleted[name] = None
        try:
            self._world.store.delete(PODS, NS, name, Options(grace_seconds=0))
        except ApiError:
            return

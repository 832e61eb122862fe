"""What happens to the cluster while the loads run, each kind at its own random times."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from tests.simulation import hands
from tests.simulation.agents import LAST_WORDS
from tests.simulation.loop import Mode

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.simulation.loads import Caller
    from tests.simulation.replicas import Replica
    from tests.simulation.world import World


class Troubles:
    """Starts every kind that the seed's plan enables. `until` is when all of it ends."""

    def __init__(self, world: World, until: float) -> None:
        self.world = world
        self.loop = world.loop
        self._until = until

    def start(self) -> None:
        rates = self.world.plan.happenings
        for kind in fields(rates):
            rate = getattr(rates, kind.name)
            if rate:
                rng = self.world.rng(kind.name)
                self.loop.create_task(self._repeat(KINDS[kind.name], rate / 60, rng, kind.name))

    async def _repeat(self, kind: Kind, rate: float, rng: Random, name: str) -> None:
        while True:
            await asyncio.sleep(rng.expovariate(rate))
            if self.loop.time() >= self._until:
                return
            self.world.log("trouble", name.replace("_", " "))
            self.world.counted(name)
            kind(self, rng)

    def later(self, seconds: float, undo: Callable[[], object]) -> None:
        """Something ends after a while; the healing does not wait for it."""
        self.loop.in_world(seconds, undo)

    # --- the API server -----------------------------------------------------------------------

    def outage(self, rng: Random) -> None:
        """It refuses connections, is silent, or answers 503, for seconds or a minute."""
        api = self.world.api
        if api.weather.state:
            return
        api.weather.state = rng.choice(("refusing", "silent", "503"))
        self.world.log("trouble", f"the API server is {api.weather.state}")
        for lines in list(api.streams):
            lines.stall() if api.weather.state == "silent" else lines.cut()
        self.world.watcher.outage_began(api.weather.state)
        self.later(rng.choice((2.0, 8.0, 25.0, 60.0)) * (0.5 + rng.random()), self.back)

    def back(self) -> None:
        """It answers again."""
        if self.world.api.weather.state:
            self.world.api.weather.state = ""
            self.world.log("trouble", "the API server is back")
            self.world.watcher.outage_ended()

    def compaction(self, rng: Random) -> None:
        """Old versions are forgotten, and connections break, so that watches meet 410."""
        self.world.store.compact()
        for lines in list(self.world.api.streams):
            if rng.random() < 0.7:
                lines.cut()

    def restore(self, rng: Random) -> None:
        """etcd comes back from a backup; mostly everybody is started anew, as documented."""
        if not hands.restore(self.world) or rng.random() < 0.3:
            return
        for replica in self.world.net.replicas:
            replica.kill()
            self.later(rng.uniform(1, 10), replica.start)
        for agent in self.world.agents:
            agent.kill(with_loads=False)
            self.later(rng.uniform(1, 15), agent.start)

    def cut_off(self, rng: Random) -> None:
        """One replica does not reach the API server."""
        replica = self._replica(rng)
        if replica is None or replica.process is None:
            return
        name, cut_off = replica.process.name, self.world.api.weather.cut_off
        cut_off[name] = None
        for lines in [one for one in self.world.api.streams if one.sent.process.name == name]:
            lines.stall()
        self.later(rng.uniform(3, 60), lambda: cut_off.pop(name, None))

    # --- replicas and agents ------------------------------------------------------------------

    def _replica(self, rng: Random) -> Replica | None:
        running = [r for r in self.world.net.replicas if r.running]
        return rng.choice(running) if running else None

    def replica_crash(self, rng: Random) -> None:
        replica = self._replica(rng)
        if replica is not None:
            replica.kill(silently=rng.random() < 0.3)
            self.later(rng.uniform(0.1, 30), replica.start)

    def crash_at_write(self, rng: Random) -> None:
        """A process dies right after it sent a write, or right before it sees the answer."""
        self.world.api.crash_in = rng.randint(1, 8)

    def dies_at_grant(self, rng: Random) -> None:
        """An agent's process dies in the moment in which a grant is to reach it."""
        self.world.net.deaths = 1

    def replica_pause(self, rng: Random) -> None:
        replica = self._replica(rng)
        if replica is not None and replica.process is not None:
            process = replica.process
            process.pause()
            self.later(rng.choice((1.0, 5.0, 12.0, 30.0, 60.0)) * rng.random(), process.resume)

    def replica_stop(self, rng: Random) -> None:
        """SIGTERM, and another one starts a little later."""
        replica = self._replica(rng)
        if replica is not None:
            replica.stop()
            self.later(rng.uniform(4, 20), replica.start)

    def wall_jump(self, rng: Random) -> None:
        replica = self._replica(rng)
        if replica is not None:
            replica.set_wall(rng.choice((-1, 1)) * rng.choice((1.0, 60.0, 3600.0, 86400.0)))

    def _agent(self, rng: Random) -> Caller:
        return rng.choice(self.world.agents)

    def agent_crash(self, rng: Random) -> None:
        agent = self._agent(rng)
        agent.kill(with_loads=rng.random() < 0.5)
        self.later(rng.choice((0.5, 5.0, 90.0)) * rng.random(), agent.start)

    def agent_pause(self, rng: Random) -> None:
        agent = self._agent(rng)
        process = agent.process
        if process is not None and process.mode is Mode.RUNNING:
            process.pause()
            self.later(rng.choice((2.0, 15.0, 70.0)) * rng.random(), process.resume)

    def agents_rolled(self, rng: Random) -> None:
        """Every agent is started anew, one after the other, under running loads: every other one
        is told so before, and says its last words.
        """
        for number, agent in enumerate(self.world.agents):
            begin, told = number * 0.5, number % 2 == 1
            self.later(begin, agent.stop if told else partial(agent.kill, with_loads=False))
            self.later(begin + told * LAST_WORDS + rng.uniform(0.1, 4), agent.start)

    # --- operators ----------------------------------------------------------------------------

    def limits(self, rng: Random) -> None:
        hands.set_limits(self.world, rng)

    def bad_limits(self, rng: Random) -> None:
        hands.break_limits(self.world, rng)

    def labels(self, rng: Random) -> None:
        hands.label(self.world, rng.choice(self.world.nodes), rng.choice(("small", "large", None)))

    def hold(self, rng: Random) -> None:
        node = rng.choice(self.world.nodes)
        hands.hold(self.world, node, "maintenance")
        self.later(rng.uniform(1, 40), lambda: hands.hold(self.world, node, None))

    def node_gone(self, rng: Random) -> None:
        node = rng.choice(self.world.nodes)
        hands.remove_node(self.world, node)
        self.later(rng.uniform(0.5, 60), lambda: hands.add_node(self.world, node))

    def node_not_ready(self, rng: Random) -> None:
        node = rng.choice(self.world.nodes)
        hands.ready(self.world, node, "Unknown")
        self.later(rng.uniform(5, 90), lambda: hands.ready(self.world, node, "True"))

    def lease_label(self, rng: Random) -> None:
        hands.label_lease(self.world, rng)

    def lease_deleted(self, rng: Random) -> None:
        hands.delete_lease(self.world, rng)

    def holder_cleared(self, rng: Random) -> None:
        hands.clear_holder(self.world, rng)

    def foreign_lease(self, rng: Random) -> None:
        name = hands.foreign_lease(self.world, rng)
        if name:
            self.later(rng.uniform(5, 60), lambda: hands.remove_lease(self.world, name))

    def terminating_lease(self, rng: Random) -> None:
        name = hands.begin_deletion(self.world, rng)
        if name:
            self.later(rng.uniform(1, 40), lambda: hands.finish_deletion(self.world, name))

    def pod_finished(self, rng: Random) -> None:
        """A load's Pod ends under its agent."""
        self.world.pods.end_one(rng)

    def pod_deleted(self, rng: Random) -> None:
        self.world.pods.delete_one(rng)


if TYPE_CHECKING:
    Kind = Callable[[Troubles, Random], None]

KINDS: dict[str, Kind] = {
    name: method for name, method in vars(Troubles).items() if not name.startswith("_")
}

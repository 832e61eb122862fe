"""Does what the schedule says, and undoes it."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.e2e.cluster import limits
from tests.e2e.wire import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tests.chaos.crowd import Crowd
    from tests.chaos.field import Field
    from tests.chaos.schedule import Fault
    from tests.realserver.process import Process

LIMITS = (1, 2, 3)
LAG = 0.2
"""Seconds by which a slow link delays each piece of data."""
_BROKEN = "{"


class Trouble:
    """The faults of one run. One target has one fault at a time."""

    def __init__(self, field: Field, crowd: Crowd, say: Callable[[str], None]) -> None:
        self._field, self._crowd, self._say = field, crowd, say
        self._busy: dict[int, object] = {}
        self._over = asyncio.Event()
        self._config = limits(LIMITS[-1])
        self.counts: Counter[str] = Counter()

    async def run(self, faults: Sequence[Fault], seconds: float) -> None:
        """Strikes for so long. When it returns, every fault has been undone."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(begun + fault.at - loop.time())
                group.create_task(STRIKES[fault.kind](self, fault))
            await asyncio.sleep(begun + seconds - loop.time())
            self._over.set()
        await self._configure(limits(LIMITS[-1]))

    async def _configure(self, text: str) -> None:
        """Tries until the API server takes it; it may be away just now."""
        while True:
            with suppress(AssertionError, NoAnswer):
                return await asyncio.to_thread(self._field.cluster.configure, text)
            await asyncio.sleep(0.5)

    # --- choosing ---------------------------------------------------------------------------------

    def _take(self, fault: Fault, targets: Sequence[Any], name: Callable[[Any], str]) -> Any:
        """A target that has no other fault now; None where there is none."""
        free = [target for target in targets if id(target) not in self._busy]
        if not free:
            return None
        target = free[int(fault.which * len(free))]
        self._busy[id(target)] = target
        self._tell(fault, name(target))
        return target

    def _tell(self, fault: Fault, target: str) -> None:
        self.counts[fault.kind] += 1
        lasting = f" for {fault.seconds:.1f} s" if fault.seconds else ""
        self._say(f"{fault.kind}: {target}{lasting}")

    def _free(self, target: Any) -> None:
        del self._busy[id(target)]

    async def _last(self, fault: Fault) -> None:
        """Until the fault's time is over, or the run's."""
        with suppress(TimeoutError):
            async with asyncio.timeout(fault.seconds):
                await self._over.wait()

    # --- coordinators -----------------------------------------------------------------------------

    async def end_coordinator(self, fault: Fault) -> None:
        running = [one for one in self._field.replicas if one.program is not None]
        replica = self._take(fault, running, self._replica_name)
        if replica is None:
            return
        kills = fault.kind == "kill coordinator"
        await self._field.end(replica, signal.SIGKILL if kills else signal.SIGTERM)
        await self._last(fault)
        await self._field.launch(replica)
        self._free(replica)

    async def pause_coordinator(self, fault: Fault) -> None:
        running = [one for one in self._field.replicas if one.program is not None]
        replica = self._take(fault, running, self._replica_name)
        if replica is not None:
            await self._pause(fault, replica.program)
            self._free(replica)

    def _replica_name(self, replica: Any) -> str:
        return f"{replica.number}{' (leads)' if replica is self._field.leader else ''}"

    async def _pause(self, fault: Fault, process: Process) -> None:
        process.send(signal.SIGSTOP)
        await self._last(fault)
        process.send(signal.SIGCONT)

    # --- agents -----------------------------------------------------------------------------------

    async def strike_agent(self, fault: Fault) -> None:
        agent = self._take(fault, self._crowd.agents, lambda one: f"{one.name} on {one.node}")
        if agent is None:
            return
        if fault.kind == "pause agent":
            agent.send(signal.SIGSTOP)
            await self._last(fault)
            agent.send(signal.SIGCONT)
        else:
            agent.send(signal.SIGKILL if fault.kind == "kill agent" else signal.SIGTERM)
        self._free(agent)

    # --- the API server ---------------------------------------------------------------------------

    async def strike_server(self, fault: Fault) -> None:
        what = "etcd" if fault.kind == "pause etcd" else "kube-apiserver"
        server = self._take(fault, [self._field.server], lambda _: what)
        if server is None:
            return
        if fault.kind == "restart API server":
            await asyncio.to_thread(server.stop_apiserver)
            await self._last(fault)
            await asyncio.to_thread(server.start)
        else:
            await self._pause(fault, server.etcd if what == "etcd" else server.process)
        self._free(server)

    # --- links ------------------------------------------------------------------------------------

    async def strike_link(self, fault: Fault) -> None:
        link = self._take(fault, self._field.links, lambda one: one.name)
        if link is None:
            return
        match fault.kind:
            case "stall link":
                link.stall()
            case "slow link":
                link.lag = LAG
            case "refuse link":
                link.refuses = True
                link.cut()
            case _:
                link.cut()
        await self._last(fault)
        link.heal()
        self._free(link)

    # --- limits -----------------------------------------------------------------------------------

    async def change_limit(self, fault: Fault) -> None:
        number = LIMITS[int(fault.which * len(LIMITS))]
        self._tell(fault, str(number))
        self._config = limits(number)
        await self._configure(self._config)

    async def break_config(self, fault: Fault) -> None:
        self._tell(fault, "text that is no JSON")
        await self._configure(_BROKEN)
        await self._last(fault)
        await self._configure(self._config)


STRIKES: dict[str, Callable[[Trouble, Fault], Coroutine[Any, Any, None]]] = {
    "kill coordinator": Trouble.end_coordinator,
    "stop coordinator": Trouble.end_coordinator,
    "pause coordinator": Trouble.pause_coordinator,
    "kill agent": Trouble.strike_agent,
    "pause agent": Trouble.strike_agent,
    "stop agent": Trouble.strike_agent,
    "restart API server": Trouble.strike_server,
    "pause API server": Trouble.strike_server,
    "pause etcd": Trouble.strike_server,
    "stall link": Trouble.strike_link,
    "cut link": Trouble.strike_link,
    "refuse link": Trouble.strike_link,
    "slow link": Trouble.strike_link,
    "change limit": Trouble.change_limit,
    "break config": Trouble.break_config,
}

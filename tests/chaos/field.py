"""The ground on which the chaos happens: one API server, two coordinators, and links in between.

    agents ── door ──┬── coordinator 0 ── api-0 ──┬── kube-apiserver ── etcd
                     └── coordinator 1 ── api-1 ──┘        (followed by `History`)
                           (pass-0, pass-1: from a follower to the leader)

Operators and the judge never go through a link.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.chaos.history import ELECTION, History
from tests.chaos.links import Link
from tests.e2e.cluster import Cluster
from tests.e2e.processes import LOOPBACK, Coordinator, Site
from tests.e2e.waiting import until
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random
    from types import TracebackType

    from tests.e2e.wire import Http
    from tests.realserver.server import RealApiServer

STOP = 30.0
"""Seconds for an end by a signal: a clean stop promises five, on a machine that has time for it."""


@dataclass(eq=False)
class Replica:
    """One of the coordinators: the same ports and the same links in all its lives."""

    number: int
    api: Link
    """To the API server."""
    passed: Link
    """What the other replica reaches it through."""
    ports: tuple[int, int]
    program: Coordinator | None = None
    kubeconfig: Path = field(default_factory=Path)
    """For the coordinator's own account, with the API server behind the link."""
    logs: list[Path] = field(default_factory=list)
    """One for each of its processes."""


class Field(Site):
    """`async with` makes the namespace, nodes and links; nothing runs yet."""

    def __init__(
        self,
        server: RealApiServer,
        folder: Path,
        rng: Random,
        *,
        nodes: int = 2,
        api_link: Callable[[str, int, Random], Link] | None = None,
    ) -> None:
        super().__init__(Cluster(server), folder)
        self.server = server
        self.nodes = [self.cluster.add_node(number) for number in range(nodes)]
        self.history = History(server.etcd_url, self.cluster.namespace, folder / "leases")
        self._api_link = api_link or (lambda name, port, rng: Link(name, [port], rng))
        self.replicas = [self._replica(number, rng) for number in range(2)]
        self.door = Link("door", [replica.ports[0] for replica in self.replicas], rng)
        self.faults: list[str] = []
        """Coordinators that ended as none may."""

    def _replica(self, number: int, rng: Random) -> Replica:
        ports = (free_port(), free_port())
        upstream = int(self.server.url.rpartition(":")[2])
        api = self._api_link(f"api-{number}", upstream, rng)
        return Replica(number, api, Link(f"pass-{number}", ports[:1], rng), ports)

    @property
    def url(self) -> str:
        """What agents know: no replica's own address."""
        return f"https://{LOOPBACK}:{self.door.port}"

    @property
    def api(self) -> Http:
        return self.mount.person(self.url)

    @property
    def links(self) -> list[Link]:
        pairs = [(replica.api, replica.passed) for replica in self.replicas]
        return [self.door, *(link for pair in pairs for link in pair)]

    async def __aenter__(self) -> Self:
        for link in self.links:
            await link.open()
        await self.history.__aenter__()
        await asyncio.to_thread(self._install)
        self.journal.end_all()  # every load ends by itself
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.history.__aexit__()
        for link in self.links:
            await link.close()
        await asyncio.to_thread(self.close)

    def _install(self) -> None:
        """The rights, and the tokens, for as long as nothing is wrong."""
        self.installation.apply()
        for replica in self.replicas:
            url = f"{replica.api.scheme}://{LOOPBACK}:{replica.api.port}"
            replica.kubeconfig = self.installation.kubeconfig(self.folder, url)
        for node in self.nodes:
            self.agents.on(node)

    async def trusted(self) -> None:
        """Returns when agents can know the coordinators by their certificate."""
        await asyncio.to_thread(until, self.mount.sync, "the authority is published")

    # --- the coordinators -------------------------------------------------------------------------

    async def launch(self, replica: Replica) -> Coordinator:
        """Starts the replica's next process; it need not be ready yet."""
        log = self._log(f"coordinator-{replica.number}")
        command = ["--kubeconfig", str(replica.kubeconfig), *self.installation.flags()]
        command += ["--election-lease", ELECTION]
        command += ["--advertise-url", f"https://{LOOPBACK}:{replica.passed.port}"]
        replica.logs.append(log)
        program = await asyncio.to_thread(Coordinator, command, replica.ports, log, self.mount)
        self._programs.append(program)
        self.coordinator = replica.program = program
        return program

    async def end(self, replica: Replica, number: signal.Signals) -> float:
        """Ends the replica's process by a signal; what comes back is when the signal was sent."""
        program, sent = replica.program, time.monotonic()
        if program is None:
            return sent
        self._look_after(program)
        program.send(number)
        try:
            code = await asyncio.to_thread(program.exit_code, STOP)
        except AssertionError as late:
            self.faults.append(str(late))
        else:
            # One that is only starting ends by SIGTERM as any program does.
            if number is signal.SIGTERM and code and program.logged("listening"):
                self.faults.append(f"a clean stop ended with {code}: {program.log}")
        await asyncio.to_thread(program.end)
        replica.program = None
        return sent

    def all_run(self) -> None:
        """Notes down every coordinator that should run and does not."""
        for replica in self.replicas:
            if replica.program is not None:
                self._look_after(replica.program)

    def _look_after(self, program: Coordinator) -> None:
        if not program.is_running():
            self.faults.append(f"a coordinator ended by itself: {program.last_words()}")

    @property
    def leader(self) -> Replica | None:
        """Who leads by the election's Lease; None where that names nobody."""
        url = self.history.leader_url
        found = [one for one in self.replicas if url.endswith(f":{one.passed.port}")]
        return found[0] if found else None

"""`python -m tests.chaos.figures [NAME ...] [--tries N]`: how long what takes, as a table.

stop    time without grants after a clean stop of the leader
kill    the same after SIGKILL
agent   a killed agent's slot is free again (TTL 10)
outage  requests per second to an API server that answers 503, and the time to the first grant after
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.chaos import measures
from tests.chaos.field import Field
from tests.chaos.front import Front
from tests.e2e.cluster import limits
from tests.realserver import binaries, report
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.chaos.measures import Samples

GOALS = {
    "no grants after a clean stop of the leader": "<= 3 s",
    "no grants after SIGKILL of the leader": "<= 18 s",
    "a killed agent's slot is free, from the kill": "<= 15 s",
    "the same, from its last answered renewal": ">= 10 s",
}
MILL = (0.02, 0.08)
"""Seconds that each load of the mill works: a grant every few hundredths of a second."""


class Figures:
    """Each method but `tell` is one of the names on the command line."""

    def __init__(self, server: RealApiServer, folder: Path, tries: int, away: float) -> None:
        self._server, self._folder, self._tries = server, folder, tries
        self._away = away
        self.samples: Samples = defaultdict(list)

    def tell(self, new: Samples) -> None:
        """Adds and shows what a try gave."""
        for name, values in new.items():
            self.samples[name] += values
            report.say(f"{name}: {', '.join(f'{value:.2f}' for value in values)}")

    async def stop(self) -> None:
        await self._ends(signal.SIGTERM, "a clean stop")

    async def kill(self) -> None:
        await self._ends(signal.SIGKILL, "SIGKILL")

    async def _ends(self, number: signal.Signals, how: str) -> None:
        async with _milling(Field(self._server, self._folder, Random(1))) as ground:
            for _ in range(self._tries):
                seconds = await measures.without_grants(ground, number)
                self.tell({f"no grants after {how} of the leader": [seconds]})

    async def agent(self) -> None:
        rng = Random(2)
        async with _milling(Field(self._server, self._folder, rng, nodes=3)) as ground:
            await measures.grants_flow(ground)
            for batch in range(-(-self._tries // measures.VICTIMS)):
                self.tell(await measures.slots_of_the_killed(ground, ground.nodes[2], batch, rng))

    async def outage(self) -> None:
        front = partial(Front, ca_file=self._server.ca_file)
        field = Field(self._server, self._folder, Random(3), nodes=3, api_link=front)
        async with _milling(field) as ground:
            for number in range(self._tries):
                new = await measures.outage(ground, ground.nodes[2], number, self._away)
                self.tell(new)


@asynccontextmanager
async def _milling(field: Field) -> AsyncIterator[Field]:
    """Both coordinators run, and short loads on the first two nodes."""
    async with field as ground:
        await asyncio.to_thread(ground.cluster.configure, limits(measures.VICTIMS))
        for replica in ground.replicas:
            await ground.launch(replica)
        await ground.trusted()
        for number, node in enumerate(ground.nodes[:2]):
            await asyncio.to_thread(measures.mill, ground, node, f"mill-{number}", 4, MILL)
        yield ground


NAMES = ("stop", "kill", "agent", "outage")


def table(samples: Samples) -> str:
    """Markdown: the least, the median and the worst of each."""
    lines = [
        "| measured | tries | least | median | worst | goal |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for name, values in samples.items():
        goal = GOALS.get(name, "<= 1" if name.startswith("requests") else "")
        told = (min(values), statistics.median(values), max(values))
        numbers = " | ".join(f"{value:.2f}" for value in told)
        lines.append(f"| {name} | {len(values)} | {numbers} | {goal} |")
    return "\n".join(lines)


def main() -> int:
    """Measures and prints."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.figures", description=__doc__, formatter_class=formatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (default: all)")
    parser.add_argument("--tries", type=int, default=20)
    away = "seconds that the API server answers 503 for (default 60, at least 10)"
    parser.add_argument("--outage", type=float, default=60.0, metavar="SECONDS", help=away)
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"no such figure: {', '.join(unknown)}")
    found = binaries.find()
    if found is None:
        return report.fail_or_skip("not built (make real-apiserver)")
    samples: Samples = {}
    with RealApiServer(found) as server:
        for name in options.names or NAMES:
            with tempfile.TemporaryDirectory(prefix=f"nodeslots-figures-{name}-") as folder:
                figures = Figures(server, Path(folder), options.tries, options.outage)
                asyncio.run(getattr(figures, name)())
                samples |= figures.samples
    report.say(table(samples))
    return 0


if __name__ == "__main__":
    sys.exit(main())

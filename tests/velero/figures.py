"""`python -m tests.velero.figures [--turns N] [--out FILE]`: Velero's own limiter beside ours.

One site, one workload's shape, one limit. The limiters take turns, so that what the machine does
meanwhile meets both. Each turn's own times are printed as JSON, the tables at the end. Needs what
the tier with a real Velero needs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.waiting import until
from tests.kubelet import machine
from tests.realserver import binaries, report
from tests.velero import injected, table, turns
from tests.velero.build import TITLE, hindrance
from tests.velero.moments import Listener
from tests.velero.phases import Phases
from tests.velero.site import Site
from tests.velero.velero import NAMESPACE, OUT_OF_THE_WAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.velero.turns import Turn

BINDING = "mutatingadmissionpolicybinding/node-slots-movers"


def velero_limits(site: Site) -> None:
    """Velero's own limiter, and nothing of ours in the movers."""
    site.kubectl("delete", "--ignore-not-found", BINDING)
    until(lambda: not injected.governs(site.kubectl), "the policy is out of force", between=0.2)
    site.velero.own_limit({"loadConcurrency": {"globalConfig": turns.LIMIT}})
    site.velero.restart_node_agent()


def slots_limit(site: Site) -> None:
    """The coordinator, and Velero's own limit out of the way."""
    site.limit(turns.LIMIT)
    site.velero.own_limit(OUT_OF_THE_WAY)
    site.velero.restart_node_agent()
    site.kubectl.apply(*injected.by_policy())
    until(lambda: injected.governs(site.kubectl), "the policy is in force", between=0.2)


LIMITERS: dict[str, Callable[[Site], None]] = {
    "Velero's limiter": velero_limits,
    "node-slots": slots_limit,
}


def run(site: Site, each: int) -> Iterator[Turn]:
    """So many turns of each limiter, one after the other."""
    server = site.plane.server
    with Phases(server, NAMESPACE) as phases, Listener(server, NAMESPACE) as listener:
        for number in range(each):
            for place, (limiter, take_over) in enumerate(LIMITERS.items()):
                take_over(site)
                turn = turns.take(site, f"turn-{number}-{place}", limiter, phases, listener.moments)
                report.say(f"{limiter}: {json.dumps(asdict(turn))}")
                yield turn


def text(done: Sequence[Turn]) -> str:
    """Both tables."""
    shape = f"{turns.PODS} Pods with {turns.VOLUMES} volumes each, limit {turns.LIMIT}"
    title = f"{shape}; {len(done) // len(LIMITERS)} turns each. Median (lowest to highest).\n\n"
    return f"{title}{table.compare(done, *LIMITERS)}\n{table.steps(done)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="of each limiter")
    parser.add_argument("--out", type=Path, help="a file for the tables")
    options = parser.parse_args()
    found = binaries.find()
    if (why := hindrance()) or found is None:
        report.say(f"{TITLE} cannot run: {why or 'the API server is not built'}")
        return 1
    with machine.alone():
        folder = Path(tempfile.mkdtemp(prefix=machine.MARK))
        with Site(found, folder) as site:
            done = list(run(site, options.turns))
    told = text(done)
    sys.stdout.write(told)
    if options.out:
        options.out.write_text(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.simulation.planted`: which bug is caught by what, as a table.

`--search N` looks for the seeds anew, among the first N, and prints what `catches` records.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from tests.simulation.planted.apt import apt_seeds
from tests.simulation.planted.bugs import BUGS
from tests.simulation.planted.catches import SEEDS, TESTS, seeds_of
from tests.simulation.planted.search import Seen, first_seen, searchers

if TYPE_CHECKING:
    from concurrent.futures import Future


def main() -> int:
    """Returns 1 where nothing catches a bug."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.planted", description=__doc__)
    parser.add_argument(
        "--search", type=int, default=0, metavar="N", help="among the first N seeds that are apt"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("bugs", nargs="*", default=list(BUGS), help="default: all")
    options = parser.parse_args()
    if options.search:
        return _search(options.bugs, options.search, options.workers)
    return _table(options.bugs, options.workers)


def _table(names: list[str], workers: int) -> int:
    """A seed is run again for its promise; that the tests fail is asserted by `test_planted`."""
    missed = 0
    _say("| planted bug | mistake | promise | seed | test |\n|---|---|---|---|---|")
    with searchers(workers) as pool:
        runs: dict[str, Future[Seen | None]] = {
            name: pool.submit(first_seen, name, list(seeds_of(name)))
            for name in names
            if name in SEEDS
        }
        for name in names:
            seen = runs[name].result() if name in runs else None
            missed += seen is None and name not in TESTS
            _say(_row(name, seen))
    return 1 if missed else 0


def _row(name: str, seen: Seen | None) -> str:
    promise, seed = (seen.promise, str(seen.seed)) if seen else ("", "")
    test = TESTS.get(name, "" if seen else "**nothing**")
    return f"| {name} | {BUGS[name].what} | {promise} | {seed} | {test} |"


def _search(names: list[str], most: int, workers: int) -> int:
    """One line for each bug, told in the order in which they are named."""
    missed = 0
    with searchers(workers) as pool:
        runs = {name: pool.submit(first_seen, name, list(apt_seeds(name, most))) for name in names}
        for name, run in runs.items():
            seen = run.result()
            missed += seen is None
            found = f'    "{name}": ({seen.seed},),  # {seen.text[:150]}' if seen else f"# {name}"
            _say(found.replace("\n", " "))
    return 1 if missed else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

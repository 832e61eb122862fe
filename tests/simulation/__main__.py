"""`python -m tests.simulation`: many seeds on all cores, or one of them step by step."""

from __future__ import annotations

import argparse
import os
import sys

from tests.simulation.runner import Report, run_many, run_traced

HASH_SEED = "0"
"""Sets of strings are walked in the order of their hashes."""


def main() -> int:
    """Returns 1 when a promise was broken."""
    options = _options()
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    if options.trace:
        return run_traced(options.first_seed, print)
    report = Report(print, digests=options.digests)
    run_many(range(options.first_seed, options.first_seed + options.seeds), options.workers, report)
    report.end()
    return 1 if report.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--first-seed", type=int, default=0, help="the first one (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--digests", action="store_true", help="tell each seed's log in one word")
    parser.add_argument("--trace", action="store_true", help="one seed only, every step printed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

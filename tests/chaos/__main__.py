"""`python -m tests.chaos --seconds N [--seed S]`: trouble on the real API server, and a verdict."""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import chaos
from tests.realserver import binaries, report
from tests.realserver.server import RealApiServer


def main() -> int:
    """What comes back is the exit code: 1 when something happened that may not."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long faults come")
    parser.add_argument("--seed", type=int, help="which faults (default: others each time)")
    options = parser.parse_args()
    found = binaries.find()
    if found is None:
        return report.fail_or_skip("not built (make real-apiserver)")
    seed = random.randrange(10**6) if options.seed is None else options.seed
    report.say(f"chaos for {options.seconds:g} s with --seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="nodeslots-chaos-"))
    with RealApiServer(found) as server:
        outcome = asyncio.run(chaos(server, folder, options.seconds, seed, report.say))
    report.say(outcome.table())
    if not outcome.violations:
        shutil.rmtree(folder)
        return 0
    for violation in outcome.violations:
        report.say(f"VIOLATION: {violation}")
    report.say(f"the journals and logs are kept in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.bench [S1 S3 …]`: the scenarios side by side with their rivals, as tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import report
from tests.bench.run import measured
from tests.bench.scenario import Size
from tests.bench.scenarios import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.run import Result
    from tests.bench.scenario import Scenario

SMOKE_ROUNDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write what is asked for. 1 when something failed or missed its goal."""
    options = _options(arguments)
    results: list[Result] = []
    for scenario in _chosen(options.scenarios, smoke=options.smoke):
        rounds = options.rounds or (SMOKE_ROUNDS if options.smoke else scenario.rounds)
        results.append(measured(scenario, Size(smoke=options.smoke), rounds, _say))
        _say("\n" + report.tables(results[-1:]))
    _say(report.summary(results))
    if options.json:
        options.json.write_bytes(report.as_json(results))
    if options.write:
        report.write(results)
    return 0 if all(result.good for result in results) else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures the coordinator and its rivals in turns, on real local servers.",
        epilog="; ".join(f"{one.key}: {one.title}" for one in ALL),
    )
    keys = [one.key for one in ALL]
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=f"which of {' '.join(keys)} (default all)"
    )
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="rounds of each, not its own number"
    )
    parser.add_argument("--smoke", action="store_true", help="small, judged by looser ratios (CI)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all rounds as JSON")
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/performance.md, with JSON"
    )
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.scenarios) - set(keys)):
        parser.error(f"there is no scenario {', '.join(unknown)}; there are {', '.join(keys)}")
    return options


def _chosen(keys: Sequence[str], *, smoke: bool) -> list[Scenario]:
    if keys:
        return [one for one in ALL if one.key in keys]
    return [one for one in ALL if one.in_smoke or not smoke]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())

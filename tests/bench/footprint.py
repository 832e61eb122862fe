"""`python -m tests.bench.footprint [--runs N]`: start time and memory, side by side, as a table.

Every round starts each subject once, so that whatever else the machine does meets them all alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.coordinator import Coordinators
from tests.bench.processes import EndedEarly
from tests.bench.subjects import Bench, Sample, Samples, folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HEAD = """\
| median (lowest to highest) | start, ms | CPU, ms | RSS, MiB | anonymous, MiB | PSS, MiB |
|---|---|---|---|---|---|"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.footprint")
    parser.add_argument("--runs", type=int, default=11, metavar="N", help="rounds (default 11)")
    runs = parser.parse_args(arguments).runs
    with folder() as place, Coordinators() as coordinators:
        bench = Bench(coordinators, Path(place))
        subjects = (bench.python, bench.version, bench.run, bench.hold, bench.sidecar)
        rows, missing = measured(subjects, runs)
    sys.stdout.write(table(rows, missing))
    return 1 if missing else 0


def measured(
    subjects: Iterable[Callable[[], Samples]], runs: int
) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """The samples of each row, and for each subject that does not work the reason.

    One more round goes before, which writes what Python compiles and warms the disk's cache.
    """
    rows: dict[str, list[Sample]] = {}
    missing: dict[str, str] = {}
    for number in range(runs + 1):
        for subject in subjects:
            try:
                samples = {} if subject.__name__ in missing else subject()
            except EndedEarly as error:
                missing[subject.__name__] = str(error)
                continue
            for name, sample in samples.items() if number else ():
                rows.setdefault(name, []).append(sample)
    return rows, missing


def table(rows: dict[str, list[Sample]], missing: dict[str, str]) -> str:
    """The table in Markdown; what does not work is named below it."""
    lines = [HEAD]
    for name, samples in rows.items():
        memory = [sample.memory for sample in samples if sample.memory is not None]
        cells = (
            _spread([1000 * s.wall for s in samples if s.wall is not None], 0),
            _spread([1000 * s.cpu for s in samples if s.cpu is not None], 0),
            _spread([found.rss for found in memory], 1),
            _spread([found.anonymous for found in memory], 1),
            _spread([found.pss for found in memory], 1),
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    told = [f"{name}: not there yet, or broken: {why}" for name, why in missing.items()]
    return "\n".join([*lines, *(["", *told] if told else []), ""])


def _spread(values: list[float], digits: int) -> str:
    if not values:
        return ""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m tests.core.mutation`: how many mutants of the core the tests kill, by module.

mutmut changes one thing in one function at a time and runs the tests that reach it (`make
mutation`, a quarter of an hour on two idle cores); this reads what it left in `mutants/`. A mutant
that no test reaches counts as survived, one that never ends as killed. Ends with 1 where fewer
than 85 % are killed, or where nothing was tried.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

GOAL = 0.85
RESULTS = Path("mutants/coordinator/core")
KILLED, TIMEOUT = {1, 3}, {-24, 24, 36, 152, 255}
"""mutmut keeps how the test run ended: pytest's code, or the signal at the end of its time."""


@dataclass(frozen=True)
class Figures:
    """What became of a module's mutants."""

    killed: int = 0
    timeout: int = 0
    survived: int = 0

    @property
    def mutants(self) -> int:
        return self.killed + self.timeout + self.survived

    @property
    def score(self) -> float:
        """The part that was seen, from 0 to 1."""
        return (self.killed + self.timeout) / self.mutants if self.mutants else 0.0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.killed + other.killed,
            self.timeout + other.timeout,
            self.survived + other.survived,
        )


def figures(meta: str) -> Figures:
    """Of one module, from mutmut's own notes on it; raises ValueError where it was not finished."""
    endings = list(json.loads(meta)["exit_code_by_key"].values())
    if None in endings:
        raise ValueError(f"{endings.count(None)} mutants were not tried; run make mutation again")
    killed = sum(ending in KILLED for ending in endings)
    timeout = sum(ending in TIMEOUT for ending in endings)
    return Figures(killed, timeout, len(endings) - killed - timeout)


def line(name: str, of: Figures) -> str:
    counts = f"{of.mutants:8} {of.killed:8} {of.timeout:8} {of.survived:9}"
    return f"{name:12} {counts} {of.score:8.1%}\n"


def main() -> int:
    """Prints the table; what comes back is the exit code."""
    write, total = sys.stdout.write, Figures()
    write(
        f"{'module':12} {'mutants':>8} {'killed':>8} {'timeout':>8} {'survived':>9} {'seen':>8}\n"
    )
    for path in sorted(RESULTS.glob("*.py.meta")):
        of = figures(path.read_text())
        total += of
        if of.mutants:
            write(line(path.name.removesuffix(".py.meta"), of))
    write(line("all", total))
    return 0 if total.score >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

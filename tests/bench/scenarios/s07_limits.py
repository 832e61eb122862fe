"""S7: every node of a very large cluster gets its limit, by a hundred rules."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import selectors
from tests.bench.scenario import Goal, Scenario, Size, Subject, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NODES = 65_000
LOOP, OURS = "Go loop", "node-slots"


@contextmanager
def _stage(size: Size) -> Iterator[Mapping[str, Subject]]:
    loop = selectors.loop()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "limits.json"
        selectors.write_input(file, size.pick(NODES, 20_000))
        answers = selectors.Answers(file)
        yield {LOOP: partial(answers.of, loop), OURS: partial(answers.of, selectors.ours())}


SCENARIO = Scenario(
    "S7",
    f"limits of {NODES:,} nodes by 100 rules, the same answers on both sides",
    (
        Goal(
            "CPU time, of the Go loop's",
            ratio("CPU ms", OURS, LOOP),
            1.0,
            at_least=False,
            smoke=1.5,
        ),
    ),
    _stage,
)

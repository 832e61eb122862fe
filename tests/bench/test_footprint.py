"""The measurement itself measures, and says what it could not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.coordinator import Coordinators
from tests.bench.footprint import measured, table
from tests.bench.processes import EndedEarly, Memory
from tests.bench.subjects import Bench, Sample, folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.subjects import Samples


@pytest.fixture
def bench() -> Iterator[Bench]:
    with folder() as place, Coordinators() as coordinators:
        yield Bench(coordinators, Path(place))


def test_the_table_shows_median_and_spread() -> None:
    memory = Memory(20.0, 10.0, 15.0)
    rows = {"x": [Sample(0.1, 0.05, memory), Sample(0.3, 0.07, memory), Sample(0.2, 0.06, None)]}
    line = table(rows, {}).splitlines()[2]
    assert line.startswith("| x | 200 (100 to 300) | 60 (50 to 70) | 20.0 (20.0 to 20.0) | 10.0")


def test_what_does_not_work_is_named_once_and_not_tried_again() -> None:
    tries = []

    def broken() -> Samples:
        tries.append(1)
        raise EndedEarly("no such command")

    rows, missing = measured([broken], 3)
    assert (rows, missing, len(tries)) == ({}, {"broken": "no such command"}, 1)
    assert "broken: not there yet, or broken: no such command" in table(rows, missing)


def test_the_first_round_does_not_count(bench: Bench) -> None:
    rows, missing = measured([bench.python], 1)
    assert missing == {}
    (samples,) = rows.values()
    (sample,) = samples
    assert sample.memory is not None
    assert sample.memory.rss > sample.memory.anonymous > 1
    assert 0 < (sample.cpu or 0) <= (sample.wall or 0)


def test_a_wrapped_command_takes_a_slot_of_the_coordinator_in_memory(bench: Bench) -> None:
    assert all(sample.memory is not None for sample in bench.run().values())

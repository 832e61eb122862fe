"""S11 measures what it says: the processes start, renew, are looked at, and end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.coordinator import Coordinators
from tests.bench.processes import EndedEarly, started
from tests.bench.subjects import ANONYMOUS, PSS, RENEWAL, RSS, START, START_CPU, Bench, folder

if TYPE_CHECKING:
    from collections.abc import Iterator

FIGURES = {START, START_CPU, RSS, ANONYMOUS, PSS}


@pytest.fixture
def bench() -> Iterator[Bench]:
    with folder() as place, Coordinators() as coordinators:
        yield Bench(coordinators, Path(place), renewals=3)


def test_the_bare_interpreter_has_a_start_and_a_memory_and_renews_nothing(bench: Bench) -> None:
    shown = bench.python()
    assert shown.keys() == FIGURES
    assert shown[RSS] > shown[ANONYMOUS] > 1
    assert shown[START_CPU] > 1


@pytest.mark.parametrize("name", ["aiohttp", "library", "run", "hold", "sidecar"])
def test_whoever_renews_is_measured_in_full(bench: Bench, name: str) -> None:
    shown = getattr(bench, name)()
    assert shown.keys() == FIGURES | {RENEWAL}
    assert all(value > 0 for value in shown.values())


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]
    with (
        started(command, {}, tmp_path / "log") as process,
        pytest.raises(EndedEarly, match="no such thing"),
    ):
        process.ready(lambda: False)


def test_no_process_stays_though_the_block_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(ZeroDivisionError), started(command, {}, tmp_path / "log") as process:
        raise ZeroDivisionError
    assert not process.running
    assert not Path(f"/proc/{process.pid}").exists()

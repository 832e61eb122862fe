"""Every planted bug is caught: by the simulator within a few seeds, else by a unit test."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.simulation.planted.bugs import BUGS
from tests.simulation.planted.catches import SEEDS, TESTS, seeds_of
from tests.simulation.planted.search import first_seen, searchers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import ProcessPoolExecutor

DEADLINE = 600.0
"""Seconds for one bug. Seeds only compute: on a busy machine for as long as it likes."""
pytestmark = pytest.mark.timeout(DEADLINE + 60)
PLUGINS = ("pytest_asyncio.plugin", "pytest_timeout", "tests.simulation.planted.plugin")
"""All others only cost time."""


@pytest.fixture(scope="module")
def searching() -> Iterator[ProcessPoolExecutor]:
    with searchers(1) as pool:
        yield pool


@pytest.mark.parametrize("name", SEEDS)
def test_the_simulator_reports_a_planted_bug(name: str, searching: ProcessPoolExecutor) -> None:
    seen = searching.submit(first_seen, name, list(seeds_of(name))).result(DEADLINE)
    assert seen is not None, f"no seed sees: {BUGS[name].what}"


@pytest.mark.parametrize("name", TESTS)
def test_a_unit_test_fails_with_a_planted_bug(name: str) -> None:
    options = ["-q", "-x", "-p", "no:cacheprovider", "--plant", name]
    plugins = [word for plugin in PLUGINS for word in ("-p", plugin)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *options, TESTS[name]],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-2000:]
    assert " failed" in done.stdout
    assert " error" not in done.stdout.splitlines()[-1]


def test_every_planted_bug_is_caught_by_something() -> None:
    assert BUGS.keys() == SEEDS.keys() | TESTS.keys()
    assert len(BUGS) >= 30

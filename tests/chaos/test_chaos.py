"""Two minutes of trouble on a real API server of its own (`make chaos` runs it for longer)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.chaos.run import chaos
from tests.realserver import report
from tests.realserver.server import RealApiServer

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = float(os.environ.get("NODESLOTS_CHAOS_SECONDS", "120"))
SEED = int(os.environ.get("NODESLOTS_CHAOS_SEED", "171"))
"""This one brings 14 of the 15 kinds of faults within two minutes."""
ENOUGH = SECONDS / 4
"""Grants below which a run has shown nothing."""


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
async def test_through_all_trouble_no_limit_is_passed_and_nothing_is_lost(
    real_server: RealApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RealApiServer(real_server.binaries) as server:
        outcome = await chaos(server, tmp_path, SECONDS, SEED, report.say)
    with capsys.disabled():
        report.say(f"\nchaos, seed {SEED}:\n{outcome.table()}")
    assert not outcome.violations
    assert outcome.grants > ENOUGH

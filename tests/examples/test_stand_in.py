"""Where there is no curl, the shell example is tested with a stand-in: is it good enough?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.e2e.processes import Program
from tests.examples import workers
from tests.examples.sidecar import GRANTED, QUEUED, FakeSidecar

if TYPE_CHECKING:
    from pathlib import Path


def test_the_shell_example_runs_with_the_stand_in_for_curl(
    sidecar: FakeSidecar, tmp_path: Path
) -> None:
    line = workers.worker("sh", sidecar.socket, ["one"], ["echo", "under a slot"])
    path = {"PATH": f"{workers.STAND_IN}:{os.environ['PATH']}"}
    surroundings = workers.environment(tmp_path, sidecar.socket) | path
    program = Program(line, surroundings, tmp_path / "log")
    try:
        asked = sidecar.next()
        asked.say(QUEUED)
        program.wait_said("place 2")
        asked.say(GRANTED)
        assert program.exit_code() == 0, program.output
        assert "under a slot" in program.output
        asked.wait_gone()
    finally:
        program.end()

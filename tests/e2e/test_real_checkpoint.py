"""On the real API server: a process that was stopped past its TTL asks before its next step."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site

pytestmark = [pytest.mark.real, pytest.mark.slow]

STEPPER = Path(__file__).with_name("stepper.py")
STEPS = ["step 1", "step 2", "step 3"]


def _said(program: Program) -> list[str]:
    """What the load itself said; the library's warnings stand in the same log."""
    words = ("step", "continued", "lost")
    return [line for line in program.output.splitlines() if line.startswith(words)]


def _stopped(program: Program) -> bool:
    """Whether SIGSTOP has taken effect."""
    stat = Path(f"/proc/{program.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def _stopped_in_a_step(site: Site, node: str, kind: str) -> Program:
    program = site.run("stepper", node, [sys.executable, str(STEPPER), kind])
    until(lambda: _said(program) == STEPS, f"three steps: {program.output}")
    until(lambda: _stopped(program), "it stopped itself")
    return program


@pytest.mark.parametrize("kind", ["tasks", "threads"])
def test_a_load_stopped_past_its_ttl_learns_at_its_next_checkpoint_that_its_slot_is_anothers(
    site: Site, cluster: Cluster, node: str, kind: str
) -> None:
    stepper = _stopped_in_a_step(site, node, kind)
    site.granted(node, "other")  # the stepper is silent, and no Pod speaks for it
    assert list(cluster.holders().values()) == ["other"]
    stepper.send(signal.SIGCONT)
    assert stepper.exit_code() == 0
    *before, last = _said(stepper)
    assert before == [*STEPS, "continued"]
    assert last.startswith("lost: load 'stepper'")
    assert "no coordinator answers" not in stepper.output, "it was away itself, not the coordinator"
    assert list(cluster.holders().values()) == ["other"], "the loser freed nothing of the other's"


def test_a_load_stopped_past_its_ttl_goes_on_where_nobody_took_its_slot(
    site: Site, cluster: Cluster, node: str
) -> None:
    stepper = _stopped_in_a_step(site, node, "tasks")
    assert site.stop(signal.SIGKILL) == 128 + signal.SIGKILL  # nobody is left to free it
    stepper.send(signal.SIGCONT)
    site.start()
    until(lambda: "step 4" in _said(stepper), f"it goes on: {stepper.output}")
    assert list(cluster.holders().values()) == ["stepper"]

"""On the real API server: `slot-agent run`, killed at every stage, stopped, and in a hurry."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.cluster import Cluster
    from tests.e2e.processes import Program, Site

pytestmark = pytest.mark.real

TTL = ("--ttl", "10")


def _holder(site: Site) -> list[str]:
    return list(site.cluster.holders().values())


def _zombie(pid: int) -> Callable[[], bool]:
    """Whether the one child of `pid` has ended and was not taken up yet."""

    def look() -> bool:
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        return Path(f"/proc/{child}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"

    return look


def _killed_while_waiting(site: Site, node: str) -> Program:
    site.agent("first", node)
    site.journal.wait_started("first")
    victim = site.agent("victim", node, *TTL)
    site.wait_queue(node, "victim")
    victim.send(signal.SIGKILL)
    site.journal.end("first")
    return victim


def _killed_between_grant_and_command(site: Site, node: str) -> Program:
    """Stopped in the queue, it is granted the slot and cannot know."""
    site.agent("first", node)
    site.journal.wait_started("first")
    victim = site.agent("victim", node, *TTL)
    site.wait_queue(node, "victim")
    victim.send(signal.SIGSTOP)
    site.journal.end("first")
    until(lambda: _holder(site) == ["victim"], "the slot is the victim's")
    victim.send(signal.SIGKILL)
    return victim


def _killed_while_the_command_runs(site: Site, node: str) -> Program:
    victim = site.agent("victim", node, *TTL)
    site.journal.wait_started("victim")
    victim.send(signal.SIGKILL)
    until(lambda: site.journal.terminated == {"victim"}, "the command was told")
    return victim


def _killed_before_the_release(site: Site, node: str) -> Program:
    """Stopped while the command ends, it has not released the slot yet."""
    victim = site.agent("victim", node, *TTL)
    site.journal.wait_started("victim")
    victim.send(signal.SIGSTOP)
    site.journal.end("victim")
    until(_zombie(victim.pid), "the command has ended")
    victim.send(signal.SIGKILL)
    return victim


@pytest.mark.slow
@pytest.mark.parametrize(
    "stage",
    [
        _killed_while_waiting,
        _killed_between_grant_and_command,
        _killed_while_the_command_runs,
        _killed_before_the_release,
    ],
)
def test_a_wrapper_killed_at_any_stage_leaks_nothing(
    site: Site, cluster: Cluster, node: str, stage: Callable[[Site, str], Program]
) -> None:
    victim = stage(site, node)
    assert victim.exit_code() == 128 + signal.SIGKILL
    heir = site.agent("heir", node)
    site.journal.wait_started("heir")
    assert "victim" not in site.journal.running
    assert site.journal.most_at_once(node) == 1
    site.journal.end("heir")
    assert heir.exit_code() == 0
    until(lambda: cluster.holders() == {}, "every Lease is free")


@pytest.mark.slow
def test_a_wrapper_stopped_past_its_ttl_ends_its_command_when_the_slot_is_another_ones(
    site: Site, node: str
) -> None:
    sleeper = site.agent("sleeper", node, *TTL)
    site.journal.wait_started("sleeper")
    sleeper.send(signal.SIGSTOP)
    other = site.agent("other", node)
    site.journal.wait_started("other")
    sleeper.send(signal.SIGCONT)
    assert sleeper.exit_code() == 74
    assert site.journal.terminated == {"sleeper"}
    assert _holder(site) == ["other"]
    site.journal.end("other")
    assert other.exit_code() == 0


def test_with_warn_the_command_outlives_its_slot_and_its_exit_code_counts(
    site: Site, cluster: Cluster, node: str
) -> None:
    agent = site.agent("job", node, "--on-lost", "warn", code=9)
    site.journal.wait_started("job")
    cluster.clear_holder(f"{node}-slot-0")
    agent.wait_said("the command goes on without a slot")
    site.journal.end("job")
    assert agent.exit_code() == 9


def test_try_runs_on_a_free_slot_and_is_75_on_a_held_one(site: Site, node: str) -> None:
    first = site.agent("first", node, "--try")
    site.journal.wait_started("first")
    second = site.agent("second", node, "--try")
    assert second.exit_code() == 75
    assert "none is free" in second.output
    site.journal.end("first")
    assert first.exit_code() == 0
    assert site.journal.started == ["first"]


def test_json_tells_each_step(site: Site, node: str) -> None:
    first = site.agent("first", node)
    site.journal.wait_started("first")
    second = site.agent("second", node, "--json", code=3)
    site.wait_queue(node, "second")
    site.journal.end_all()
    assert (first.exit_code(), second.exit_code()) == (0, 3)
    events = [json.loads(line) for line in second.output.splitlines()]
    assert [event["event"] for event in events] == [
        *("queued", "granted", "started", "leaving", "exit"),
    ]
    queued, granted, *_, ended = events
    assert [holder["load"] for holder in queued["holders"]] == ["first"]
    assert granted["lease"] == f"{node}-slot-0"
    assert (ended["code"], ended["load"], ended["node"]) == (3, "second", node)

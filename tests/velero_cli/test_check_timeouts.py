"""`velero check`: Velero's timeouts against the waits that its own work lets expect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coordinator.core.movers import Kind
from coordinator.velero.check_model import Coordinator, Level, Schedule
from coordinator.velero.check_waits import RECENT, backlogs, rounded
from tests.velero_cli.worlds import HOUR, OWN, SERVER, WORLD, agent, found, only, server, works

if TYPE_CHECKING:
    from coordinator.velero.world import World

PREPARE, FILES = "prepare timeout", "fs-backup-timeout"
ITEMS = "default-item-operation-timeout"


def _waits(world: World, limit: int = 2) -> list[tuple[str, float]]:
    return [(one.node, one.wait) for one in backlogs(world, {"node1": limit, "node2": limit})]


@pytest.mark.parametrize(
    ("volumes", "limit", "wait"), [(1, 1, 0), (2, 2, 0), (3, 2, 100), (8, 2, 350), (8, 1, 700)]
)
def test_the_last_of_a_backup_waits_for_the_others_runs_shared_by_the_slots(
    volumes: int, limit: int, wait: float
) -> None:
    world = replace(WORLD, works=works(volumes, 100.0))
    assert _waits(world, limit) == [("node1", wait)]


def test_backups_and_nodes_are_looked_at_one_by_one_and_the_worst_comes_first() -> None:
    some = works(3, 100.0) + works(5, 100.0, node="node2") + works(4, 100.0, owner="other")
    assert _waits(replace(WORLD, works=some)) == [("node2", 200), ("node1", 150), ("node1", 100)]


def test_volumes_that_velero_hands_out_one_by_one_do_not_wait_for_each_other() -> None:
    """The default of file system backups: the next Pod's volumes are made when these are done."""
    steps = [works(2, 99.0, ago=100.0 * step, owner="nightly") for step in range(9)]
    world = replace(WORLD, works=tuple(work for step in steps for work in step))
    (seen,) = backlogs(world, {"node1": 1})
    assert (seen.volumes, seen.together, seen.wait) == (18, 2, 99)
    assert _waits(world, 2) == [("node1", 0)]


def test_a_whole_backup_takes_what_it_took_or_longer_under_a_lower_limit() -> None:
    """Eight at once, an hour each, in an hour: two slots need at most 3.5 hours and one more."""
    world = replace(WORLD, works=works(8, HOUR))
    assert [one.whole for one in backlogs(world, {"node1": 2})] == [4.5 * HOUR]
    later = works(1, 60.0, node="node2", ago=0.0)
    spread = replace(WORLD, works=works(1, 60.0, ago=9 * HOUR) + later)
    took = 9 * HOUR + 60.0
    assert [one.whole for one in backlogs(spread, {"node1": 2, "node2": 2})] == [took, took]


def test_a_restore_is_not_taken_for_the_backup_of_that_name() -> None:
    back = works(3, 100.0, kind=Kind.POD_VOLUME_RESTORE)
    assert _waits(replace(WORLD, works=works(3, 100.0) + back)) == [("node1", 100)] * 2


def test_a_run_without_an_end_counts_as_the_median_and_alone_tells_nothing() -> None:
    ended, open_ = works(2, 100.0), works(2, 100.0, phase="InProgress")
    assert _waits(replace(WORLD, works=ended + open_)) == [("node1", 150)]
    assert _waits(replace(WORLD, works=open_)) == []


def test_work_of_long_ago_and_on_unknown_nodes_tells_nothing() -> None:
    old = works(9, 100.0, ago=RECENT + HOUR)
    gone = works(9, 100.0, node="removed")
    assert _waits(replace(WORLD, works=old + gone)) == []


@pytest.mark.parametrize(("wait", "hours"), [(0, 12), (12 * HOUR, 12), (13 * HOUR, 24), (1e9, 168)])
def test_what_is_recommended_is_rounded_up_generously(wait: float, hours: float) -> None:
    assert rounded(wait) == hours * HOUR


@pytest.mark.parametrize(
    ("timeout", "volumes", "level"),
    [
        (0.5 * HOUR, 0, Level.WARNING),  # nothing is known: Velero's default is too little
        (12 * HOUR, 0, Level.OK),
        (0.5 * HOUR, 2, Level.OK),  # as many as there are slots: nobody waits
        (0.5 * HOUR, 6, Level.ERROR),  # the last one waits for 2.5 hours
        (3 * HOUR, 6, Level.WARNING),
        (8 * HOUR, 6, Level.OK),
    ],
)
def test_the_prepare_timeout_must_hold_out_three_times_the_wait(
    timeout: float, volumes: int, level: Level
) -> None:
    world = replace(agent(prepare_timeout=timeout), works=works(volumes, HOUR))
    assert only(PREPARE, world).level is level


def test_the_numbers_and_the_command_are_said() -> None:
    told = only(PREPARE, replace(agent(prepare_timeout=1800.0), works=works(12, HOUR)))
    words = "Longest wait to be expected: 5h30m; nightly brought 12 volumes to node1, 12 at once"
    assert words in told.text
    assert "--data-mover-prepare-timeout=24h" in told.commands[0]


@pytest.mark.parametrize(("minutes", "level"), [(17, Level.NOTE), (18, Level.WARNING)])
def test_who_waits_now_is_told_and_late_from_three_quarters_of_the_timeout_on(
    minutes: float, level: Level
) -> None:
    waiting = works(2, 0.0, phase="Accepted", ago=60.0 * minutes)
    running = works(1, 0.0, phase="InProgress", ago=9 * HOUR)
    world = replace(agent(prepare_timeout=24 * 60.0), works=waiting + running)
    now = found(PREPARE, world)[1]
    assert (now.level, now.text[:9]) == (level, "2 volumes")
    assert f"nightly-0 on node1, for {minutes}m of 24m" in now.text
    assert len(found(PREPARE, replace(world, works=running))) == 1


def test_without_our_limits_no_wait_is_made_up() -> None:
    world = replace(agent(prepare_timeout=1800.0), works=works(12, HOUR))
    told = only(PREPARE, world, replace(OWN, limits=None))
    assert (told.level, "is not known" in told.text) == (Level.WARNING, True)


@pytest.mark.parametrize("flag", [FILES, ITEMS])
@pytest.mark.parametrize(
    ("given", "level"), [("4h", Level.WARNING), ("27h", Level.WARNING), ("48h0m0s", Level.OK)]
)
def test_clocks_of_the_server_must_outlast_the_prepare_timeout(
    flag: str, given: str, level: Level
) -> None:
    assert only(flag, server({flag: given})).level is level


def test_a_flag_that_is_not_set_is_veleros_default_of_four_hours() -> None:
    world = replace(WORLD, server=replace(SERVER, flags={}))
    assert only(FILES, world).text.startswith("4h for")


@pytest.mark.parametrize(
    ("flag", "kind", "other"),
    [
        (FILES, Kind.POD_VOLUME_BACKUP, ITEMS),
        (FILES, Kind.POD_VOLUME_RESTORE, ITEMS),
        (ITEMS, Kind.DATA_UPLOAD, FILES),
        (ITEMS, Kind.DATA_DOWNLOAD, FILES),
    ],
)
def test_each_clock_is_held_against_the_work_that_it_times(
    flag: str, kind: Kind, other: str
) -> None:
    """Twelve runs of an hour by two need 6.5 hours at most; of the other kinds there are none."""
    world = replace(server({FILES: "4h", ITEMS: "4h"}), works=works(12, HOUR, kind=kind))
    assert only(flag, world).level is Level.ERROR
    assert only(other, world).level is Level.NOTE
    longer = replace(server({flag: "20h"}), works=world.works)
    assert only(flag, longer).level is Level.OK


def test_a_schedule_whose_own_timeout_strikes_first_is_named() -> None:
    short, long = Schedule("hourly", 4 * HOUR), Schedule("weekly", 48 * HOUR)
    told = only("schedules", own=replace(OWN, schedules=(short, long)))
    assert told.level is Level.WARNING
    assert "hourly (4h)" in told.text
    assert "weekly" not in told.text


@pytest.mark.parametrize(
    ("flags", "warns"),
    [({}, True), ({"prepare-timeout": "86400"}, False), ({"prepare-timeout": "0"}, False)],
)
def test_the_coordinator_should_know_the_prepare_timeout(
    flags: dict[str, str], warns: bool
) -> None:
    made = Coordinator("node-slots-coordinator", 2, 2, flags)
    told = found("coordinator", own=replace(OWN, coordinator=made))
    assert [one.level for one in told] == [Level.OK, Level.WARNING][: 1 + warns]

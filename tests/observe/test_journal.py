"""A recording says what changed and no more, survives being cut, and goes on where it ended."""

from __future__ import annotations

import json
from dataclasses import replace
from errno import ENOSPC
from typing import TYPE_CHECKING

import pytest

from coordinator.observe import journal
from coordinator.observe.recorder import Recorder
from tests.observe.worlds import CONFIG, WORLD, T, work

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.velero.world import World

LATER = replace(WORLD, taken=T + 70)


def lines(file: Path) -> list[tuple[float, str, object]]:
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [(one["at"] - T, one["key"], one["value"]) for one in found]


def record(file: Path, *worlds: World) -> int:
    with Recorder(file, 2.0) as recorder:
        for world in worlds:
            recorder.take(world)
    return recorder.written


def test_everything_is_recorded_once_and_then_what_changed(tmp_path: Path) -> None:
    file = tmp_path / "r"
    gone = replace(LATER, works=(work("a", "node1", "Completed", 5, 65), *WORLD.works[1:]))
    written = record(file, WORLD, LATER, gone)
    told = lines(file)
    assert written == len(told)
    first = [key for at, key, _ in told if at == 60]
    assert first[:3] == ["begin", "node node1", "node node2"]
    assert len(first) == 1 + 2 + 1 + 1 + 4 + 6
    assert [key for at, key, _ in told[len(first) :]] == ["work PodVolumeBackup/a", "end"]


def test_what_is_gone_is_told_as_null(tmp_path: Path) -> None:
    file = tmp_path / "r"
    record(file, WORLD, replace(LATER, movers=WORLD.movers[1:]))
    assert (70.0, "mover uid-a", None) in lines(file)


def test_objects_come_back_as_they_were() -> None:
    state = journal.state_of(WORLD)
    assert journal.node_of(state["node node1"]) == WORLD.nodes[0]
    assert journal.mover_of(state["mover uid-a"]) == WORLD.movers[0]
    assert journal.work_of(state["work PodVolumeBackup/a"]) == WORLD.works[0]
    assert journal.limits_of(state[f"limits {CONFIG}"]) == WORLD.limits[0]
    assert journal.agent_of(state["agent node-agent"]) == WORLD.node_agents[0]


def test_a_second_recording_writes_the_difference_only(tmp_path: Path) -> None:
    file = tmp_path / "r"
    record(file, WORLD)
    record(file, replace(LATER, movers=WORLD.movers[:3]))
    assert [(at, key) for at, key, _ in lines(file)][-3:] == [
        *((70.0, "begin"), (70.0, "mover uid-d"), (70.0, "end")),
    ]


def test_a_line_that_was_cut_short_is_passed_over_and_the_next_one_is_whole(
    tmp_path: Path,
) -> None:
    file = tmp_path / "r"
    record(file, WORLD)
    file.write_bytes(file.read_bytes()[:-20])
    record(file, LATER)
    read = journal.read(file.read_bytes(), "r")
    assert read.damaged == 1
    assert [one.key for one in read.entries if one.at == T + 70] == ["begin", "end"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b'{"kind": "List"}\n', "has no line of a recording"),
        (b"\xff\xfe\x00", "has no line of a recording"),
        (b'{"at": 1, "key": "begin", "value": {"version": 2}}\n', "a newer slot-coordinator"),
    ],
)
def test_another_file_is_no_recording(content: bytes, why: str) -> None:
    with pytest.raises(journal.NoRecording, match=why):
        journal.read(content, "r")


def test_another_file_is_never_written_to(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("my notes\n")
    with pytest.raises(journal.NoRecording):
        Recorder(file, 2.0)
    assert file.read_text() == "my notes\n"


def test_another_veleros_recording_is_not_gone_on_with(tmp_path: Path) -> None:
    """All of the first would look gone, and its movers ended."""
    file = tmp_path / "r"
    record(file, WORLD)
    before = lines(file)
    with pytest.raises(
        journal.NoRecording, match="namespace velero: give backup a file of its own"
    ):
        record(file, replace(LATER, namespace="backup"))
    assert lines(file) == before


def test_an_empty_file_may_be_recorded_into(tmp_path: Path) -> None:
    file = tmp_path / "r"
    file.touch()
    record(file, WORLD)
    assert lines(file)[0][1] == "begin"


def test_a_full_disk_leaves_no_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    with Recorder(tmp_path / "r", 2.0) as recorder:
        recorder.take(WORLD)
        monkeypatch.setattr(recorder, "_write", full)  # to its end, which is one line more
    assert recorder._file.closed


def test_messages_are_not_recorded() -> None:
    told = replace(work("a", "n", "Failed"), message="secret path")
    assert "secret" not in str(journal.state_of(replace(WORLD, works=(told,))))

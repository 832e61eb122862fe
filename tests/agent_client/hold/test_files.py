"""The folder of hold, and what `--status` makes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.hold.files import Files, Unwritable, process_started, signature
from agent_client.hold.status import DOES_NOT, HOLDS, NOTHING, status
from tests.agent_client.hold.scene import Scene, granted, queued

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, **more: Any) -> None:
    """The record of a hold that is this process, and waits since 100."""
    scene = Scene()
    told = scene.answer(more.pop("answer", queued(2, "other")))
    Files(folder).write({**told, "since": 100.0, **signature(), **more})


def test_what_an_earlier_container_left_as_granted_is_gone_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "granted").touch()
    write(tmp_path)
    assert Files(tmp_path).open()["claim"] == "stem"
    assert not (tmp_path / "granted").exists()


def test_granted_is_an_empty_file_that_comes_and_goes(tmp_path: Path) -> None:
    files = Files(tmp_path)
    assert files.open() == {}
    for may_run in (True, True, False, False, True):
        files.allow(may_run=may_run)
        assert (tmp_path / "granted").exists() is may_run
    assert (tmp_path / "granted").read_bytes() == b""


def test_the_gate_gives_a_byte_to_each_reader_exactly_while_the_load_may_start(
    tmp_path: Path,
) -> None:
    files = Files(tmp_path)
    files.open()
    for may_run in (False, True, True, False, True):
        files.allow(may_run=may_run)
        assert [taken(tmp_path / "gate") for _ in range(2)] == [may_run, may_run]


def test_a_probe_that_waits_at_the_gate_is_let_through_when_it_opens(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.open()
    with subprocess.Popen(["head", "-c", "1", tmp_path / "gate"], stdout=subprocess.DEVNULL) as one:
        assert one.poll() is None
        files.allow(may_run=True)
        assert one.wait(60) == 0


def test_the_gate_of_a_hold_that_died_is_shut(tmp_path: Path) -> None:
    source = "import sys; from pathlib import Path; from agent_client.hold.files import Files; "
    source += "files = Files(Path(sys.argv[1])); files.open(); files.allow(may_run=True)"
    subprocess.run([sys.executable, "-c", source, tmp_path], check=True)
    assert not taken(tmp_path / "gate")
    Files(tmp_path).open()
    assert not taken(tmp_path / "gate")


def taken(gate: Path) -> bool:
    """Whether a byte is to be had at once; else a reader that may wait would wait."""
    reader = os.open(gate, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(reader, 1) != b""
    finally:
        os.close(reader)


def test_the_record_is_replaced_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, answer=granted())
    assert [path.name for path in tmp_path.iterdir()] == ["hold.json"]


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_cannot_be_written_to_is_named_with_what_to_do(
    tmp_path: Path, folder: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unwritable, match=f"{folder}.*Mount an emptyDir"):
        Files(tmp_path / folder).open()


@pytest.mark.parametrize("content", ["", "{", "[]", "\xff"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "hold.json").write_text(content, encoding="latin-1")
    assert Files(tmp_path).open() == {}
    assert status(tmp_path, 0.0)[0] == NOTHING


def test_status_tells_what_is_waited_for_and_since_when(tmp_path: Path) -> None:
    write(tmp_path)
    code, text = status(tmp_path, 292.0)
    assert code == DOES_NOT
    assert "position 2, 1 of 1 are held (held by other)" in text
    assert "since 3 min 12 s; claim stem" in text


def test_status_of_a_held_slot_is_0(tmp_path: Path) -> None:
    write(tmp_path, answer=granted())
    code, text = status(tmp_path, 101.0)
    assert code == HOLDS
    assert "holds slot 0 of node1 in pool velero (Lease node1-slot-0, fencing token 7)" in text


def test_status_does_not_believe_a_record_whose_process_is_gone(tmp_path: Path) -> None:
    write(tmp_path, answer=granted(), started="1")
    code, text = status(tmp_path, 101.0)
    assert code == DOES_NOT
    assert text.startswith("hold itself has ended; the last it told: load job holds slot 0")


def test_status_in_json_is_the_record_and_whether_it_still_counts(tmp_path: Path) -> None:
    write(tmp_path, answer=granted())
    code, text = status(tmp_path, 112.5, raw=True)
    told = json.loads(text)
    assert code == HOLDS
    assert (told["state"], told["alive"], told["seconds"]) == ("held", True, 12.5)


def test_status_where_no_hold_ever_was_is_3(tmp_path: Path) -> None:
    code, text = status(tmp_path, 0.0)
    assert code == NOTHING
    assert str(tmp_path / "hold.json") in text


def test_a_number_without_a_process_has_no_start() -> None:
    assert process_started(2**22 + 1) is None

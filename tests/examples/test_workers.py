"""The example workers, each as a real program; the test is their sidecar."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.journal import Journal
from tests.e2e.processes import LOAD, Program
from tests.e2e.waiting import until
from tests.examples import workers
from tests.examples.sidecar import ASKING, GRANTED, QUEUED, UNGOVERNED, FakeSidecar, problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.examples.sidecar import Asked


@pytest.fixture(
    params=[
        pytest.param(
            "go",
            marks=[pytest.mark.slow, pytest.mark.xdist_group("go"), pytest.mark.timeout(600)],
        ),
        "python",
        "sh",
        "bash",
    ]
)
def worker(request: pytest.FixtureRequest, sidecar: FakeSidecar, tmp_path: Path) -> Iterator[Works]:
    made = Works(request.param, sidecar, tmp_path)
    yield made
    made.close()


class Works:
    """One worker's program at a time, whose loads write a journal."""

    def __init__(self, name: str, sidecar: FakeSidecar, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.journal = Journal(folder)
        self._sidecar = sidecar
        self._programs: list[Program] = []

    def start(self, *loads: str, command: Sequence[str] = (), code: int = 0) -> Program:
        load = command or [sys.executable, "-I", "-S", str(LOAD), str(self.folder), "0", str(code)]
        line = workers.worker(self.name, self._sidecar.socket, loads, load)
        (temporary := self.folder / "tmp").mkdir(exist_ok=True)
        surroundings = workers.environment(temporary, self._sidecar.socket)
        self._programs.append(Program(line, surroundings, self.folder / "log"))
        return self._programs[-1]

    def granted(self, load: str) -> tuple[Program, Asked]:
        """A worker whose load runs, and the request that holds the slot."""
        program = self.start(load)
        asked = self._sidecar.next()
        asked.say(GRANTED)
        self.journal.wait_started(load)
        return program, asked

    def close(self) -> None:
        for program in self._programs:
            program.end()


def test_a_load_starts_with_the_grant_and_not_before_and_knows_its_slot(
    worker: Works, sidecar: FakeSidecar
) -> None:
    program = worker.start("backup-7/pvc-3")
    asked = sidecar.next()
    assert (asked.command, asked.path) == ("POST", "/v1/slots")
    assert asked.body["load"] == "backup-7/pvc-3"
    asked.say(ASKING, QUEUED)
    program.wait_said("place 2")
    program.wait_said("all 2 slots are held")
    assert worker.journal.started == []

    asked.say(GRANTED)
    worker.journal.wait_started("backup-7/pvc-3")
    assert not asked.gone.is_set()
    worker.journal.end_all()

    assert program.exit_code() == 0, program.output
    asked.wait_gone()
    assert worker.journal.entries[0].slot == {
        "SLOT_LOAD": "backup-7/pvc-3",
        "SLOT_ORDINAL": "1",
        "SLOT_LEASE": "node1-slot-1",
        "SLOT_FENCING_TOKEN": "1201",
        "SLOT_CLAIM": "c-1",
        "SLOT_NODE": "node1",
        "SLOT_NAMESPACE": "velero",
        "SLOT_GOVERNED": "true",
    }


def test_every_load_has_a_slot_of_its_own_and_one_that_fails_stops_no_other(
    worker: Works, sidecar: FakeSidecar
) -> None:
    worker.journal.end_all()
    program = worker.start("one", "two", code=3)
    for _ in range(2):
        asked = sidecar.next()
        asked.say(GRANTED)
        asked.wait_gone()
    assert program.exit_code() != 0
    assert sorted(worker.journal.started) == ["one", "two"]


def test_without_a_coordinator_the_load_runs_and_is_told_so(
    worker: Works, sidecar: FakeSidecar
) -> None:
    worker.journal.end_all()
    program = worker.start("one")
    sidecar.next().say(UNGOVERNED)
    assert program.exit_code() == 0, program.output
    told = worker.journal.entries[0].slot
    assert told["SLOT_GOVERNED"] == "false"
    assert not any(told.get(name) for name in ("SLOT_ORDINAL", "SLOT_LEASE", "SLOT_FENCING_TOKEN"))


def test_a_lost_slot_ends_the_load(worker: Works) -> None:
    program, asked = worker.granted("one")
    asked.say({"state": "unconfirmed"}, GRANTED)
    asked.say({"state": "lost", "problem": problem("slot-lost")})
    assert program.exit_code() not in {0, 128 + signal.SIGKILL}
    assert worker.journal.terminated == {"one"}
    asked.wait_gone()


def test_a_sidecar_that_goes_ends_the_load(worker: Works) -> None:
    program, asked = worker.granted("one")
    asked.say({"state": "ending"})
    asked.end()
    until(lambda: worker.journal.terminated == {"one"}, f"the load ended: {program.output}")


def test_a_no_is_told_and_no_load_runs(worker: Works, sidecar: FakeSidecar) -> None:
    program = worker.start("one")
    asked = sidecar.next()
    asked.say(QUEUED, {"state": "refused", "problem": problem("claim-mismatch")})
    asked.end()
    assert program.exit_code() != 0
    assert "what to do about claim-mismatch" in program.output
    assert worker.journal.started == []


def test_a_problem_is_told_and_no_load_runs(worker: Works, sidecar: FakeSidecar) -> None:
    program = worker.start("one")
    sidecar.next().answer(400, problem("malformed", 400))
    assert program.exit_code() != 0
    assert "what to do about malformed" in program.output
    assert worker.journal.started == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_a_worker_that_is_ended_in_the_queue_leaves_it(
    worker: Works, sidecar: FakeSidecar, number: signal.Signals
) -> None:
    program = worker.start("one")
    asked = sidecar.next()
    asked.say(QUEUED)
    program.wait_said("place 2")
    program.send(number)
    asked.wait_gone()
    assert program.exit_code() != 0
    assert worker.journal.started == []


def test_a_worker_that_is_told_to_end_ends_its_load_and_gives_the_slot_back(worker: Works) -> None:
    program, asked = worker.granted("one")
    program.send(signal.SIGTERM)
    asked.wait_gone()
    assert worker.journal.terminated == {"one"}
    assert program.exit_code() != 0


def test_the_slot_of_a_killed_worker_is_not_free_before_its_load_has_ended(
    worker: Works, sidecar: FakeSidecar
) -> None:
    """The load reads a pipe of the test, whose writing fails when the load is gone."""
    pipe = worker.folder / "pipe"
    os.mkfifo(pipe)
    program = worker.start("one", command=["cat", str(pipe)])
    asked = sidecar.next()
    asked.say(GRANTED)
    with pipe.open("wb", buffering=0) as load:  # waits until the load reads
        program.send(signal.SIGKILL)
        assert program.exit_code() == 128 + signal.SIGKILL
        if worker.name == workers.GO:  # its load dies with it
            until(lambda: not _is_read(load.fileno()), "the load has ended")
        else:
            assert _is_read(load.fileno()), "the load lives on"
            asked.say(GRANTED)
            assert not asked.gone.is_set()
    asked.wait_gone()


def _is_read(pipe: int) -> bool:
    try:
        return os.write(pipe, b"x") == 1
    except BrokenPipeError:
        return False


def test_a_worker_leaves_nothing_behind(worker: Works) -> None:
    program, _ = worker.granted("one")
    worker.journal.end_all()
    assert program.exit_code() == 0, program.output
    assert list((worker.folder / "tmp").iterdir()) == []

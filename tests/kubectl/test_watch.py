"""`kubectl node-slots watch`: lines on a pipe, a picture on a terminal, and a lost coordinator."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from coordinator.kubectl import exits
from tests.e2e.processes import Program
from tests.kubectl.stand import NS, eventually
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.kubectl.stand import Stand

    Watch = Callable[..., Program]

PLUGIN = [
    sys.executable,
    "-c",
    "import sys; from coordinator.kubectl.cli import main; sys.exit(main())",
]
ON_A_TERMINAL = [sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])"]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Starts `watch` on a stand; it ends with the test."""
    running: list[Program] = []

    def begin(stand: Stand, *words: str, terminal: bool = False, verb: str = "watch") -> Program:
        where = ["--kubeconfig", str(stand.kubeconfig), "--server", stand.url]
        command = [*(ON_A_TERMINAL if terminal else []), *PLUGIN, verb, *words, *where]
        log = tmp_path / f"watch-{len(running)}.log"
        size = {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
        running.append(Program(command, size, log))
        return running[-1]

    yield begin
    for program in running:
        program.end()


async def says(program: Program, words: str) -> None:
    await eventually(lambda: words in program.output, f"{words}: {program.output}")


async def listening(program: Program) -> None:
    """Until what happens from now on is heard."""
    await says(program, f"following the pool {NS}")


async def test_on_a_pipe_each_thing_that_happens_is_a_line(served: Stand, watch: Watch) -> None:
    program = watch(served)
    await listening(program)
    for claim in ("c0", "c1", "c2"):
        await served.ask("worker-2", claim)
    assert served.coordinator is not None
    await served.coordinator.pool(NS).leave("worker-2", "c0", 5)
    await says(program, "worker-2 slot 0: from c0, held 0s, to c2")
    assert "worker-2 slot 1: granted to c1" in program.output
    program.send(signal.SIGINT)
    assert program.exit_code() == exits.OK
    assert "Traceback" not in program.output


async def test_as_json_each_line_is_an_object(served: Stand, watch: Watch) -> None:
    program = watch(served, "-o", "json")
    await listening(program)
    await served.ask("worker-2", "c0")
    await says(program, '"grant"')
    lines = [line for line in program.output.splitlines() if line.startswith("{")]
    (grant,) = map(json.loads, lines)
    assert (grant["event"], grant["node"], grant["claim"]) == ("grant", "worker-2", "c0")


async def test_only_the_nodes_that_are_named_are_told_of(served: Stand, watch: Watch) -> None:
    program = watch(served, "worker-3")
    await listening(program)
    await served.ask("worker-2", "c0")
    await served.ask("worker-3", "c1")
    await says(program, "granted to c1")
    assert "c0" not in program.output


async def test_on_a_terminal_the_table_is_drawn_and_follows(served: Stand, watch: Watch) -> None:
    program = watch(served, terminal=True)
    await says(program, "0 of 7 slots held, 0 waiting")
    assert "NODE       STATUS   LIMIT   HELD   WAITING   OLDEST   RULE" in program.output
    await served.ask("worker-2", "c0")
    await says(program, "1 of 7 slots held")
    await says(program, "worker-2 slot 0: granted to c0")


async def test_a_lost_coordinator_is_said_and_the_next_one_is_followed(
    alone: Stand, watch: Watch
) -> None:
    port = free_port()
    async with alone.serving(port):
        program = watch(alone)
        await listening(program)
    await says(program, "the connection is lost")
    assert program.is_running()
    async with alone.serving(port):
        await says(program, "connected again")
        await alone.ask("worker-2", "after")
        await says(program, "granted to after")


async def test_without_a_coordinator_there_is_nothing_to_watch(alone: Stand) -> None:
    told = await alone.run("watch")
    assert (told.code, told.out) == (exits.NO_COORDINATOR, "")


# --- dashboard ------------------------------------------------------------------------------------


async def test_the_dashboard_prints_its_link_and_ends_by_ctrl_c(
    served: Stand, watch: Watch
) -> None:
    port = free_port()
    program = watch(served, "--no-open", "--port", str(port), verb="dashboard")
    await says(program, f"http://127.0.0.1:{port}/?code=")
    taken = await served.run("dashboard", "--no-open", "--port", str(port))
    assert taken.code != exits.OK
    assert "give another --port" in taken.err
    program.send(signal.SIGINT)
    assert program.exit_code() == exits.OK
    assert "Traceback" not in program.output


async def test_without_a_coordinator_there_is_no_dashboard(alone: Stand) -> None:
    assert (await alone.run("dashboard", "--no-open")).code == exits.NO_COORDINATOR


@pytest.mark.parametrize("port", ["x", "-1", "70000", "1.5"])
async def test_a_port_is_a_port(alone: Stand, port: str) -> None:
    assert (await alone.run("dashboard", f"--port={port}")).code == exits.USAGE

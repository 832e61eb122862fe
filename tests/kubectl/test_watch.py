"""`kubectl node-slots watch`: lines on a pipe, a picture on a terminal, and a lost coordinator."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from coordinator.kubectl import exits
from coordinator.kubectl import watch as watching
from coordinator.kubectl.connect import Refused, Unreachable
from coordinator.kubectl.live import Live
from tests.e2e.processes import Program
from tests.e2e.waiting import DEADLINE
from tests.kubectl.stand import NS, eventually
from tests.kubectl.test_status import node
from tests.realserver.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from coordinator.kubectl.asking import Pool
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
        where += ["--timeout", f"{DEADLINE:g}"]
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
    for claim in ("c0", "c1"):
        await served.ask("worker-2", claim)
    await served.ask("worker-2", "c2", waits=True)
    assert served.coordinator is not None
    await served.coordinator.pool(NS).leave("worker-2", "c0", DEADLINE)
    handover = re.compile(r"worker-2 slot 0: from c0, held \w+, to c2, waited")
    await eventually(lambda: handover.search(program.output), f"hand-over: {program.output}")
    assert "worker-2 slot 1: granted to c1" in program.output
    program.send(signal.SIGINT)
    assert program.exit_code() == exits.OK
    assert "Traceback" not in program.output


async def test_as_json_each_line_is_an_object(served: Stand, watch: Watch) -> None:
    program = watch(served, "-o", "json")
    await listening(program)
    await served.ask("worker-2", "c0")
    await says(program, '"grant"')
    written = re.compile(r"^\{.*\}$", re.MULTILINE)
    await eventually(lambda: written.search(program.output), "a whole line")
    (grant,) = map(json.loads, written.findall(program.output))
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
    await says(program, "NODE       STATUS   LIMIT   HELD   WAITING   OLDEST   RULE")
    await served.ask("worker-2", "c0")  # it may not listen yet, and draws it all the same
    await says(program, "1 of 7 slots held")
    await served.ask("worker-2", "c1")
    await says(program, "worker-2 slot 1: granted to c1")


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


class Away:
    """A pool that raises these, one at each question, and then tells one node."""

    def __init__(self, *troubles: Exception) -> None:
        self._troubles = list(troubles)

    async def nodes(self, *_names: str) -> list[Any]:
        if self._troubles:
            raise self._troubles.pop(0)
        return [node("n1", held=1)]


async def test_a_picture_that_nobody_tells_is_asked_for_until_somebody_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who began the stream may lead no longer when it is asked for the nodes."""
    monkeypatch.setattr(watching, "AGAIN", 0.0)
    live = Live(NS)
    away = Away(Refused(503, {"detail": "nobody leads"}), Unreachable("no answer"))
    await watching._take(live, cast("Pool", away), (), "back", {})
    assert (live.lost, [one["node"] for one in live.nodes(0.0)]) == ("", ["n1"])
    forbidden = Away(Refused(403, {"detail": "you may not list"}))
    with pytest.raises(Refused, match="you may not"):
        await watching._take(live, cast("Pool", forbidden), (), "reset", {})


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

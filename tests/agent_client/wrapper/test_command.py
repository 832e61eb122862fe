"""`slot-agent run` from the grant to the exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.wrapper.process import RUN, agent, complaint, outcome, python

if TYPE_CHECKING:
    from pathlib import Path

PRINT_ENV = (
    "import os; print(*sorted(f'{k}={v}' for k, v in os.environ.items() if k.startswith('SLOT_')))"
)


async def test_the_commands_exit_code_comes_back_and_the_slot_is_free_again() -> None:
    fake = FakeCoordinator()
    code, out, err = await outcome(fake, *python("print('done'); raise SystemExit(3)"))
    assert (code, out, err) == (3, "done\n", "")
    assert fake.holders == {}


async def test_the_command_learns_of_its_slot_from_its_environment() -> None:
    fake = FakeCoordinator()
    _, out, _ = await outcome(fake, "--claim", "c1", *python(PRINT_ENV))
    assert out.split() == [
        "SLOT_CLAIM=c1",
        f"SLOT_FENCING_TOKEN={fake.tokens['c1']}",
        "SLOT_GOVERNED=true",
        "SLOT_LEASE=node1-slot-0",
        "SLOT_LOAD=job",
        "SLOT_NAMESPACE=velero",
        "SLOT_NODE=node1",
        "SLOT_ORDINAL=0",
    ]


async def test_terms_and_pod_reach_the_coordinator() -> None:
    fake = FakeCoordinator()
    flags = ("--priority", "5", "--ttl", "30", "--pod-namespace", "velero", "--pod-name", "p")
    await outcome(fake, *flags, *python(""))
    (element,) = fake.bodies[0]["claims"]
    assert (element["priority"], element["ttlSeconds"]) == (5, 30)
    assert element["pod"] == {"namespace": "velero", "name": "p"}


async def test_a_command_that_a_signal_ended_gives_128_plus_its_number() -> None:
    code, _, _ = await outcome(FakeCoordinator(), *python("import os; os.kill(os.getpid(), 9)"))
    assert code == 128 + 9


async def test_no_slot_in_time_is_75() -> None:
    code, out, err = await outcome(
        FakeCoordinator(limit=0), "--timeout", "0", "--quiet", *python("print('ran')")
    )
    assert (code, out) == (75, "")
    assert err == (
        "slot-agent: load 'job' on node node1 in pool velero got no slot within 0 s (position 1):"
        " none is free\n"
    )


async def test_try_takes_a_free_slot_and_is_75_at_once_when_there_is_none() -> None:
    assert (await outcome(FakeCoordinator(1), "--try", *python("print('ran')")))[:2] == (0, "ran\n")
    fake = FakeCoordinator(limit=0)
    code, out, err = await outcome(fake, "--try", *python("print('ran')"))
    assert (code, out) == (75, "")
    assert err.endswith("none is free\n")
    assert fake.queue == []


async def test_try_without_a_coordinator_says_that_nobody_answers() -> None:
    fake = FakeCoordinator()
    fake.down = True
    code, _, err = await outcome(fake, "--try", *python("print('ran')"))
    assert code == 75
    assert err.endswith("no coordinator answers\n")


async def test_a_load_without_a_name_is_called_as_its_command(tmp_path: Path) -> None:
    program = tmp_path / "nightly\tscan"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    fake = FakeCoordinator()
    assert (await outcome(fake, "--", str(program), command=RUN[:-2]))[0] == 0
    assert fake.bodies[0]["claims"][0]["load"] == "nightlyscan"


async def test_files_open_in_the_wrapper_are_open_in_the_command() -> None:
    shell = ("/bin/sh", "-c", 'exec "$@" 9</dev/null', "sh", *RUN)
    flags = python("import os; os.fstat(9); print('open')")
    assert await outcome(FakeCoordinator(), *flags, command=shell) == (0, "open\n", "")


async def test_no_coordinator_with_fail_is_75() -> None:
    fake = FakeCoordinator()
    fake.down = True
    flags = ("--if-unavailable", "fail", "--unavailable-after", "0.2")
    code, out, err = await outcome(fake, *flags, *python("print('ran')"))
    assert (code, out) == (75, "")
    assert "got no answer from a coordinator for 0.2 s" in err


async def test_no_coordinator_with_run_runs_without_a_slot() -> None:
    fake = FakeCoordinator()
    fake.down = True
    flags = ("--if-unavailable", "run", "--unavailable-after", "0.2", "--claim", "c1")
    code, out, err = await outcome(fake, *flags, *python(PRINT_ENV))
    assert (code, out.split()) == (
        0,
        [
            "SLOT_CLAIM=c1",
            "SLOT_GOVERNED=false",
            "SLOT_LOAD=job",
            "SLOT_NAMESPACE=velero",
            "SLOT_NODE=node1",
        ],
    )
    assert "running without a slot" in err


async def test_a_refusal_is_76_and_says_why() -> None:
    fake = FakeCoordinator()
    fake.refusals["c1"] = problem("claim-mismatch", 409)
    code, _, err = await outcome(fake, "--claim", "c1", *python("print('ran')"))
    assert code == 76
    assert "was refused: claim mismatch" in err


async def test_a_command_that_does_not_exist_is_127_and_asks_for_no_slot() -> None:
    fake = FakeCoordinator()
    code, _, err = await outcome(fake, "--", "no-such-command-anywhere")
    assert (code, err) == (127, "slot-agent: no-such-command-anywhere: command not found\n")
    assert fake.bodies == []


async def test_a_file_that_is_no_program_is_126(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("text")
    code, _, _ = await outcome(FakeCoordinator(), "--", str(plain))
    assert code == 126
    plain.chmod(0o755)
    fake = FakeCoordinator()
    code, _, _ = await outcome(fake, "--claim", "c1", "--", str(plain))
    assert code == 126, "executable, but in no format that the system knows"
    assert fake.released == ["c1"], "it was granted: only exec finds out"


async def test_who_waited_is_told_in_the_log_when_the_slot_came() -> None:
    fake = FakeCoordinator(limit=0)
    async with agent(fake, *python("")) as process:
        assert "waiting at position 1" in await complaint(process)
        fake.limit = 1
        fake.touch()
        got = await complaint(process)
        assert re.fullmatch(r"slot-agent: got node1-slot-0 after \d+:\d\d", got), got

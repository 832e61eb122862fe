"""`slot-agent run` as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.agent_client.fake import FakeCoordinator, problem
from tests.agent_client.server import serving, url_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

PRINT_ENV = (
    "import os; print(*sorted(f'{k}={v}' for k, v in os.environ.items() if k.startswith('SLOT_')))"
)


@asynccontextmanager
async def agent(fake: FakeCoordinator, *arguments: str) -> AsyncIterator[Process]:
    """`slot-agent run --load job ARGUMENTS` against `fake`, ended at the end if need be."""
    async with serving(fake) as server, asyncio.timeout(60):
        environment = {
            "PATH": os.environ["PATH"],
            "NODE_SLOTS_URL": url_of(server),
            "NODE_SLOTS_NAMESPACE": "velero",
            "NODE_NAME": "node1",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "agent_client.cli", "run", "--load", "job", *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def outcome(fake: FakeCoordinator, *arguments: str) -> tuple[int | None, str, str]:
    """Exit code, output and error output of a run that ends by itself."""
    async with agent(fake, *arguments) as process:
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def waits_for(number: signal.Signals, code: int) -> str:
    """A program that says "ready", waits for one signal, says "ended" and exits with `code`."""
    return (
        "import signal, sys\n"
        f"signal.pthread_sigmask(signal.SIG_BLOCK, [{int(number)}])\n"
        "print('ready', flush=True)\n"
        f"signal.sigwait([{int(number)}])\n"
        "print('ended', flush=True)\n"
        f"sys.exit({code})"
    )


def python(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
async def test_a_signal_is_passed_on_to_the_command(number: signal.Signals) -> None:
    async with agent(FakeCoordinator(), *python(waits_for(number, 17))) as process:
        assert await line(process) == "ready"
        process.send_signal(number)
        assert await process.wait() == 17


async def test_a_command_that_a_signal_ended_gives_128_plus_its_number() -> None:
    code, _, _ = await outcome(FakeCoordinator(), *python("import os; os.kill(os.getpid(), 9)"))
    assert code == 128 + 9


async def test_a_signal_while_waiting_leaves_the_queue() -> None:
    fake = FakeCoordinator(limit=0)
    async with agent(fake, "--claim", "c1", *python("print('ran')")) as process:
        assert process.stderr is not None
        told = (await process.stderr.readline()).decode()
        assert told == "slot-agent: waiting at position 1: 0 of 0 slots of node1 are held\n"
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 128 + signal.SIGTERM
        assert await line(process) == ""
    assert fake.queue == []
    assert "c1" in fake.released


async def test_no_slot_in_time_is_75() -> None:
    code, out, err = await outcome(
        FakeCoordinator(limit=0), "--timeout", "0", "--quiet", *python("print('ran')")
    )
    assert (code, out) == (75, "")
    assert err == (
        "slot-agent: load 'job' on node node1 in pool velero got no slot within 0 s (position 1)\n"
    )


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


async def test_on_a_lost_slot_the_command_gets_term_and_the_exit_code_is_74() -> None:
    fake = FakeCoordinator()
    async with agent(fake, "--claim", "c1", *python(waits_for(signal.SIGTERM, 0))) as process:
        assert await line(process) == "ready"
        fake.lose("c1")
        assert await line(process) == "ended"
        assert await process.wait() == 74


async def test_a_command_that_ignores_term_is_killed_after_the_grace() -> None:
    fake = FakeCoordinator()
    code = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"
    async with agent(fake, "--claim", "c1", "--grace", "0.1", *python(code)) as process:
        assert await line(process) == "1"
        fake.lose("c1")
        assert await process.wait() == 74


async def test_with_strict_silence_past_the_ttl_ends_the_command_too() -> None:
    fake = FakeCoordinator()
    fake.longest_ttl = 2  # the shorter TTL counts: unconfirmed one second after the last answer
    flags = ("--strict", "--claim", "c1")
    async with agent(fake, *flags, *python(waits_for(signal.SIGTERM, 0))) as process:
        assert await line(process) == "ready"
        fake.stop()
        assert await line(process) == "ended"
        assert await process.wait() == 74


async def test_a_signal_ignored_from_outside_stays_ignored() -> None:
    fake = FakeCoordinator(limit=0)
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with agent(fake, "--claim", "c1", *python("print('ran')")) as process:
            assert process.stderr is not None
            await process.stderr.readline()
            process.send_signal(signal.SIGHUP)
            fake.limit = 1
            fake.touch()
            assert await line(process) == "ran"
    finally:
        signal.signal(signal.SIGHUP, previous)


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
    code, _, _ = await outcome(FakeCoordinator(), "--", str(plain))
    assert code == 126, "executable, but in no format that the system knows"


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ((), "no command"),
        (("--priority", "high", "--", "true"), "invalid int value"),
        (("--timeout", "-1", "--", "true"), "invalid number of seconds value"),
        (("--strict", "--if-unavailable", "run", "--", "true"), "contradict"),
        (("--url", "coordinator:8443", "--", "true"), "no http:// or https:// URL"),
        (("--pod-name", "p", "--", "true"), "needs both"),
    ],
)
async def test_a_wrong_usage_is_64_and_says_what(flags: tuple[str, ...], says: str) -> None:
    code, _, err = await outcome(FakeCoordinator(), *flags)
    assert code == 64
    assert says in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_completion_script_knows_the_command_and_its_flags(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from agent_client import cli

    with pytest.raises(SystemExit) as end:
        cli.main(["--print-completion", shell])
    assert end.value.code == 0
    assert "unavailable-after" in capsys.readouterr().out

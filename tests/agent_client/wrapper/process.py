"""`slot-agent run` as a process, against the coordinator in memory."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.agent_client.server import serving, url_of

if TYPE_CHECKING:
    import signal
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tests.agent_client.fake import FakeCoordinator

PROGRAM = (sys.executable, "-m", "agent_client.cli")
RUN = (*PROGRAM, "run", "--load", "job")


def environment(url: str, **more: str) -> dict[str, str]:
    """What tells an agent where its coordinator is."""
    where = {"NODE_SLOTS_URL": url, "NODE_SLOTS_NAMESPACE": "velero", "NODE_NAME": "node1"}
    return {"PATH": os.environ["PATH"], **where, **more}


@asynccontextmanager
async def agent(
    fake: FakeCoordinator,
    *arguments: str,
    command: tuple[str, ...] = RUN,
    stderr: int = asyncio.subprocess.PIPE,
) -> AsyncIterator[Process]:
    """`slot-agent run --load job ARGUMENTS` against `fake`, ended at the end if need be."""
    async with serving(fake) as server, asyncio.timeout(100):
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment(url_of(server)),
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def outcome(
    fake: FakeCoordinator, *arguments: str, command: tuple[str, ...] = RUN
) -> tuple[int | None, str, str]:
    """Exit code, output and error output of a run that ends by itself."""
    async with agent(fake, *arguments, command=command) as process:
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


async def line(process: Process) -> str:
    """The next line of output; empty at its end."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def complaint(process: Process) -> str:
    """The next line on standard error."""
    assert process.stderr is not None
    return (await process.stderr.readline()).decode().strip()


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
    """The command line's end: Python runs `code`."""
    return ("--", sys.executable, "-c", code)

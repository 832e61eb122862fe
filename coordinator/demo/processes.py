"""The processes of the demo: one group, which cannot outlive the demo."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio import subprocess
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from coordinator.demo import scenario

if TYPE_CHECKING:
    from asyncio.subprocess import Process

LEASH = 'cat >/dev/null; rm -rf -- "$1" || rm -rf -- "$1" || rm -rf -- "$1"; kill -KILL 0'
"""Waits until the demo lets go of its standard input, dead or alive, then ends its own group. A
load may add a file to the folder while it is emptied; once the folder is gone, none can."""
FOREIGN = ("NODE_SLOTS_", "POD_", "SLOT_", "NODE_NAME", "KUBECONFIG")
"""Variables of the caller's that would change what the programs do."""
LAST_WORDS = 5
STOP_SECONDS = 6.0
"""A coordinator that is told to stop takes four seconds at most."""


class ProcessDied(Exception):
    """A process that should run does not; the text says which, and what it said last."""


class Group:
    """A process group that a small shell leads and ends, with a directory that goes with it.

    Ctrl-C in a terminal reaches only the demo, which then ends the others in order. A demo that
    is killed runs no clean-up: then the shell kills the group and removes the directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._leader: Process | None = None
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)
        }

    async def open(self) -> None:
        """Start the leader."""
        self._leader = await asyncio.create_subprocess_exec(
            "/bin/sh",
            *("-c", LEASH, "node-slots-demo", str(self.directory)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    async def start(self, *command: str, stderr: int, **environment: str) -> Process:
        """Start a program of this group; without input, its standard output is dropped."""
        if self._leader is None:
            raise RuntimeError("the group is not open")
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**self._environment, **environment},
            process_group=self._leader.pid,
        )

    async def close(self) -> None:
        """Kill whatever is left of the group and remove the directory; may be called twice."""
        if self._leader and self._leader.stdin:
            self._leader.stdin.close()
            await self._leader.wait()


def program(name: str) -> str:
    """The path of an installed command: beside this Python, else on the PATH.

    Raises `ProcessDied`.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise ProcessDied(f"{name} is not installed beside {sys.executable}: install node-slots")
    return found


class Coordinator:
    """`slot-coordinator serve` as a process; its log is read, and kept as long as it may help."""

    def __init__(self) -> None:
        self.api = ""
        """Where it listens for agents, once it does."""
        self._process: Process | None = None
        self._listening = asyncio.Event()
        self._said: deque[str] = deque(maxlen=LAST_WORDS)
        self._reader: asyncio.Task[None] | None = None

    async def start(self, group: Group, kubeconfig: Path, port: int) -> None:
        """Start it and wait until it listens. Raises `ProcessDied` when it ends instead."""
        self._process = await group.start(
            *(program("slot-coordinator"), "serve", "--kubeconfig", str(kubeconfig)),
            *("--namespace", scenario.NAMESPACE, "--node-agent-configmap", scenario.CONFIG_MAP),
            *("--listen-port", str(port), "--health-port", "0", "--auth", "none"),
            stderr=subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())
        await self._listening.wait()
        self.check()

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._reader is not None and not self._reader.done()

    def check(self) -> None:
        """Raise `ProcessDied` when it runs no more."""
        if self._process and not self.runs:
            code, last = self._process.returncode, "\n".join(self._said)
            raise ProcessDied(f"the coordinator ended by itself (code {code}); last words:\n{last}")

    async def stop(self) -> None:
        """End it in order: waiting agents are answered, writes awaited. May be called twice."""
        if self._process and self._reader:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await asyncio.wait({self._reader}, timeout=STOP_SECONDS)

    async def _read(self) -> None:
        """Read the log to its end."""
        if self._process is None or self._process.stderr is None:
            return
        async for line in self._process.stderr:
            self._said.append(line.decode(errors="replace").rstrip())
            with suppress(orjson.JSONDecodeError):
                self._hear(orjson.loads(line))
        await self._process.wait()
        self._listening.set()  # a waiter must look: it will not listen any more

    def _hear(self, said: object) -> None:
        if isinstance(said, dict) and said.get("event") == "listening":
            self.api = str(said["api"])
            self._listening.set()

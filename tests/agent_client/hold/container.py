"""A hold container as the kubelet would run it: its environment stays when it is started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.agent_client.scene import until
from tests.agent_client.server import serving, url_of

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.agent_client.fake import FakeCoordinator

SLOT_AGENT = (sys.executable, "-m", "agent_client.cli")


class Container:
    """One hold container of the Pod `pod`; `folder` is its emptyDir."""

    def __init__(self, folder: Path, url: str, pod: str) -> None:
        self.folder = folder / pod
        self.folder.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "NODE_SLOTS_URL": url,
            "NODE_SLOTS_NAMESPACE": "velero",
            "NODE_NAME": "node1",
            "POD_NAMESPACE": "jobs",
            "POD_NAME": pod,
            "POD_UID": f"uid-of-{pod}",
        }
        self.log = ""
        self._process: Process | None = None

    async def start(self, *arguments: str) -> None:
        self._process = await self._hold(*arguments)

    async def ask(self, *arguments: str) -> tuple[int | None, str, str]:
        """A hold that ends by itself: its exit code, output and error output."""
        process = await self._hold(*arguments)
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    async def _hold(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            *(*SLOT_AGENT, "hold", "--state-dir", str(self.folder), *arguments),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait for the end; what comes back is the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        assert self._process is not None
        out, err = await self._process.communicate()
        self.log += out.decode() + err.decode()
        assert self._process.returncode is not None
        return self._process.returncode

    async def close(self) -> None:
        if self._process is not None and self._process.returncode is None:
            await self.end(signal.SIGKILL)

    @property
    def record(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / "hold.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    @property
    def may_start(self) -> bool:
        return (self.folder / "granted").exists()

    async def reaches(self, state: str) -> None:
        await until(lambda: self.record.get("state") == state)


@asynccontextmanager
async def pods(fake: FakeCoordinator, folder: Path, *names: str) -> AsyncIterator[list[Container]]:
    """A hold container for each of the Pods, none of them started; all ended at the end."""
    async with serving(fake) as server, asyncio.timeout(100):
        made = [Container(folder, url_of(server), name) for name in names]
        try:
            yield made
        finally:
            for container in made:
                await container.close()

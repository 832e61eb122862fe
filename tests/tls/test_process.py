"""`slot-coordinator serve` as a process: what it waits for, and what it does without."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from coordinator.embedded.server import start
from coordinator.embedded.store import Store
from coordinator.kube.client import KubeClient
from coordinator.kube.credentials import OpenAccess
from coordinator.tls.names import names_of
from tests.tls.scene import CONFIG_MAP, DEADLINE, HOME, SECRET, config_map_path
from tests.tls.test_folder import lay_out
from tests.tls.test_making import material

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FLAGS = ["--namespace", HOME, "--listen-port", "0", "--health-port", "0"]
CODE = "import sys; from coordinator.cli import main; sys.exit(main())"


class Serving:
    """The process, line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def event(self, name: str) -> dict[str, Any]:
        """The next log line of that name."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE):
            while text := await self.process.stderr.readline():
                self.lines.append(json.loads(text))
                if self.lines[-1]["event"] == name:
                    return self.lines[-1]
        raise AssertionError(f"no {name!r} among {self.lines}")

    async def ends(self) -> int:
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[KubeClient]:
    """A namespace with nothing in it, and a kubeconfig for it."""
    server = await start(Store(namespaces=[HOME]))
    (tmp_path / "kubeconfig").write_text(json.dumps(server.kubeconfig()))
    async with KubeClient(OpenAccess(server.url)) as client:
        yield client
    await server.stop()


@asynccontextmanager
async def serving(folder: Path, *flags: str) -> AsyncIterator[Serving]:
    command = ["-c", CODE, "serve", *FLAGS, "--kubeconfig", str(folder / "kubeconfig"), *flags]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield Serving(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def make(client: KubeClient, plural: str, name: str) -> None:
    body = json.dumps({"metadata": {"name": name}}).encode()
    await client.request("POST", f"/api/v1/namespaces/{HOME}/{plural}", body=body)


async def status(url: str, authority: str) -> int:
    """Of a call without a token by somebody who believes this authority."""
    trust = ssl.create_default_context(cadata=authority)
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        url = url.replace("127.0.0.1", "localhost")
        async with session.get(f"{url}/v1/status", ssl=trust) as answer:
            return answer.status


async def test_it_makes_publishes_and_serves_its_certificate(
    cluster: KubeClient, tmp_path: Path
) -> None:
    for plural, name in (("secrets", SECRET), ("configmaps", CONFIG_MAP)):
        await make(cluster, plural, name)
    async with serving(tmp_path) as served:
        listening = await served.event("listening")
        await served.event("CA published")
        found = await cluster.request("GET", config_map_path(HOME))
        assert listening["api"].startswith("https://127.0.0.1:")
        assert await status(listening["api"], found["data"]["ca.crt"]) == 401
        served.process.terminate()
        assert await served.ends() == 0


async def test_a_signal_ends_the_wait_for_a_certificate(
    cluster: KubeClient, tmp_path: Path
) -> None:
    async with serving(tmp_path) as served:
        trouble = await served.event("certificates")
        assert f"the Secret {HOME}/{SECRET} does not exist" in trouble["error"]
        served.process.terminate()
        await served.event("stopped")
        assert await served.ends() == 0
    assert "listening" not in {line["event"] for line in served.lines}


async def test_a_mounted_certificate_is_served(cluster: KubeClient, tmp_path: Path) -> None:
    made = material(names_of("node-slots", HOME))
    lay_out(tmp_path, made)
    async with serving(tmp_path, "--tls", "mounted", "--tls-dir", str(tmp_path)) as served:
        listening = await served.event("listening")
        assert made.bundle
        assert await status(listening["api"], made.bundle.decode()) == 401


async def test_without_tls_it_speaks_plain_http(cluster: KubeClient, tmp_path: Path) -> None:
    async with serving(tmp_path, "--tls", "off") as served:
        assert (await served.event("listening"))["api"].startswith("http://127.0.0.1:")

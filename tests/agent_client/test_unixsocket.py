"""The Unix socket: whose it is, who may use it, and what becomes of an old one."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from agent_client.http.server import ListenError, Request, Response, Server
from tests.agent_client.rawhttp import Raw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


async def fine(_: Request) -> Response:
    return Response(200, b"fine")


@pytest.fixture
def path() -> Iterator[Path]:
    """Short: a Unix socket's path has at most 107 bytes."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "agent.sock"


@asynccontextmanager
async def at(path: Path) -> AsyncIterator[Raw]:
    raw = Raw(*await asyncio.open_unix_connection(path))
    try:
        yield raw
    finally:
        raw.close()


async def answers(path: Path) -> bool:
    async with at(path) as raw:
        raw.get("/")
        return (await raw.answer()).body == b"fine"


def put(path: Path, text: str) -> None:
    path.write_text(text)


def content(path: Path) -> str:
    return path.read_text()


def remove(path: Path) -> None:
    path.unlink()


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o660])
async def test_it_is_never_open_to_more_than_asked_for(
    path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    found: list[int] = []
    chmod = Path.chmod

    def spied(self: Path, wanted: int) -> None:
        found.append(rights(self))
        chmod(self, wanted)

    monkeypatch.setattr(Path, "chmod", spied)
    before = os.umask(0)
    try:
        async with Server(fine) as server:
            await server.listen_unix(str(path), mode)
            assert rights(path) == mode
            assert await answers(path)
    finally:
        os.umask(before)
    assert [seen & ~mode for seen in found] == [0]


async def test_a_tight_umask_takes_nothing_away(path: Path) -> None:
    before = os.umask(0o077)
    try:
        async with Server(fine) as server:
            await server.listen_unix(str(path), 0o660)
            assert rights(path) == 0o660
    finally:
        os.umask(before)


async def test_what_a_killed_server_left_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with Server(fine) as server:
        await server.listen_unix(str(path))
        assert await answers(path)


async def test_a_live_server_is_left_alone(path: Path) -> None:
    async with Server(fine) as first, Server(fine) as second:
        await first.listen_unix(str(path))
        with pytest.raises(ListenError, match=f"another process serves at {path}"):
            await second.listen_unix(str(path))
        await second.close()
        assert await answers(path)


async def test_a_live_server_that_is_too_busy_to_accept_is_left_alone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as client:
        busy.bind(str(path))
        busy.listen(0)
        client.connect(str(path))
        async with Server(fine) as server:
            with pytest.raises(ListenError, match="another process"):
                await server.listen_unix(str(path))


async def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    put(path, "precious")
    async with Server(fine) as server:
        with pytest.raises(ListenError, match="is no socket: remove it"):
            await server.listen_unix(str(path))
    assert content(path) == "precious"


async def test_a_missing_folder_is_named_and_nothing_is_left(path: Path) -> None:
    async with Server(fine) as server:
        with pytest.raises(ListenError, match=f"{path.parent}/gone/s: No such file"):
            await server.listen_unix(str(path.parent / "gone" / "s"))
    assert list(path.parent.iterdir()) == []


async def test_it_goes_with_its_server(path: Path) -> None:
    async with Server(fine) as server:
        await server.listen_unix(str(path))
    assert list(path.parent.iterdir()) == []


async def test_a_successor_s_socket_is_not_taken_away(path: Path) -> None:
    async with Server(fine) as first, Server(fine) as second:
        await first.listen_unix(str(path))
        remove(path)
        await second.listen_unix(str(path))
        await first.close()
        assert await answers(path)

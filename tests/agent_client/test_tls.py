"""HTTPS to the coordinator: whom the agent believes, and what it says when it does not."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agent_client.errors import NoAnswer
from agent_client.http import calls
from agent_client.http.calls import Caller
from tests.agent_client.certificates import Authority, serving_with
from tests.agent_client.rawhttp import DEADLINE
from tests.agent_client.scripted import Scripted, Visit, answering, scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent_client.http.calls import Answer


@pytest.fixture(scope="module")
def ours() -> Authority:
    return Authority("ours")


@pytest.fixture
def ca_file(tmp_path: Path, ours: Authority) -> Path:
    file = tmp_path / "ca.crt"
    ours.write(file)
    return file


@asynccontextmanager
async def secure(certificate: Path) -> AsyncIterator[Scripted]:
    async with scripted(answering, tls=serving_with(certificate)) as server:
        yield server


async def ask(caller: Caller) -> Answer:
    return await caller.call("POST", "sync", {}, b"{}", within=DEADLINE)


async def asked(url: str, ca_file: Path | None) -> Answer:
    """One call by a caller of its own."""
    caller = Caller(url, None if ca_file is None else str(ca_file))
    try:
        return await ask(caller)
    finally:
        await caller.close()


async def test_a_certificate_of_the_ca_is_believed(
    ours: Authority, ca_file: Path, tmp_path: Path
) -> None:
    async with secure(ours.server(tmp_path)) as server:
        caller = Caller(server.url, str(ca_file))
        for _ in range(3):
            assert (await ask(caller)).status == 200
        await caller.close()
        assert server.visits == 1


async def test_a_name_in_the_certificate_is_believed(
    ours: Authority, ca_file: Path, tmp_path: Path
) -> None:
    async with secure(ours.server(tmp_path, "localhost")) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        assert (await asked(url, ca_file)).status == 200


async def test_another_ca_s_certificate_is_refused_with_the_reason(
    ca_file: Path, tmp_path: Path
) -> None:
    async with secure(Authority("theirs").server(tmp_path)) as server:
        why = f"the certificate of {server.url} is not trusted: .*issuer certificate"
        with pytest.raises(NoAnswer, match=why):
            await asked(server.url, ca_file)
        assert server.visits == 0


async def test_the_system_s_cas_do_not_know_ours(ours: Authority, tmp_path: Path) -> None:
    async with secure(ours.server(tmp_path)) as server:
        with pytest.raises(NoAnswer, match="is not trusted"):
            await asked(server.url, None)


@pytest.mark.parametrize("host", ["10.9.8.7", "coordinator.example"])
async def test_another_host_s_certificate_is_refused_with_the_reason(
    ours: Authority, ca_file: Path, tmp_path: Path, host: str
) -> None:
    async with secure(ours.server(tmp_path, host)) as server:
        with pytest.raises(NoAnswer, match=r"is not trusted: .*not valid for '127\.0\.0\.1'"):
            await asked(server.url, ca_file)


async def test_an_expired_certificate_is_refused_with_the_reason(
    ours: Authority, ca_file: Path, tmp_path: Path
) -> None:
    async with secure(ours.server(tmp_path, until=dt.timedelta(hours=-1))) as server:
        with pytest.raises(NoAnswer, match="is not trusted: certificate has expired"):
            await asked(server.url, ca_file)


async def test_a_new_ca_in_the_file_is_taken_up_without_a_restart(
    ours: Authority, ca_file: Path, tmp_path: Path
) -> None:
    theirs = Authority("theirs")
    async with secure(theirs.server(tmp_path)) as server:
        caller = Caller(server.url, str(ca_file))
        with pytest.raises(NoAnswer, match="not trusted"):
            await ask(caller)
        swap(ca_file, theirs)
        assert (await ask(caller)).status == 200
        swap(ca_file, ours)  # it may have been given up for a reason: the kept connection goes
        with pytest.raises(NoAnswer, match="not trusted"):
            await ask(caller)
        await caller.close()


def swap(file: Path, authority: Authority) -> None:
    """As a mounted Secret changes: another file under the same name."""
    successor = file.with_suffix(".new")
    authority.write(successor)
    successor.rename(file)


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), ("nothing", "")])
async def test_a_ca_file_that_is_none_is_named(
    tmp_path: Path, content: str | None, why: str
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(NoAnswer, match=f"the CA file {file} cannot be used: .*{why}"):
        await asked("https://127.0.0.1:1", file)


async def test_a_server_without_tls_is_no_answer(ca_file: Path) -> None:
    async def script(visit: Visit) -> None:
        await visit.reader.read(1)
        visit.say("HTTP/1.1 400 Bad Request\r\n\r\n")

    async with scripted(script) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(NoAnswer, match=f"no connection to {url}: "):
            await asked(url, ca_file)


async def test_a_handshake_that_hangs_ends_with_the_connecting(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CONNECT_WITHIN", 0.05)

    async def script(visit: Visit) -> None:
        assert await visit.reader.read(100_000)
        await visit.reader.read()

    async with scripted(script) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(NoAnswer, match=f"no connection to {url} within 0.05 s"):
            await asked(url, ca_file)


async def test_a_call_that_is_cancelled_as_its_handshake_ends_waits_for_no_goodbye(
    ours: Authority, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer would never say it, and its connection stay open behind a caller that is closed."""
    made: list[calls.Line] = []
    connected = calls.Line.connection_made

    def connection_made(line: calls.Line, transport: asyncio.BaseTransport) -> None:
        connected(line, transport)
        made.append(line)
        call.cancel()

    monkeypatch.setattr(calls.Line, "connection_made", connection_made)
    over = threading.Event()

    def deaf() -> None:
        peer, _ = listening.accept()
        with peer, serving_with(certificate).wrap_socket(peer, server_side=True):
            over.wait(DEADLINE)

    certificate = ours.server(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(asyncio.to_thread(deaf))
        caller = Caller(f"https://127.0.0.1:{listening.getsockname()[1]}", str(ca_file))
        call = asyncio.create_task(ask(caller))
        await asyncio.wait({call})
        assert call.cancelled()
        try:
            async with asyncio.timeout(DEADLINE / 2):
                await made[0].lost.wait()
        finally:
            over.set()
            await serving


async def test_an_old_version_of_tls_is_refused(
    ours: Authority, ca_file: Path, tmp_path: Path
) -> None:
    old = serving_with(ours.server(tmp_path))
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with scripted(answering, tls=old) as server:
        with pytest.raises(NoAnswer, match="no connection to"):
            await asked(server.url, ca_file)


async def test_a_server_that_closes_between_calls_costs_no_call(
    ours: Authority, ca_file: Path, tmp_path: Path
) -> None:
    async def once(visit: Visit) -> None:
        await visit.asked()
        visit.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await visit.writer.drain()

    async with scripted(once, tls=serving_with(ours.server(tmp_path))) as server:
        caller = Caller(server.url, str(ca_file))
        for _ in range(4):
            assert (await ask(caller)).status == 200
        await caller.close()
        assert server.visits == 4

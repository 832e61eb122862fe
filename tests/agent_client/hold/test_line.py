"""The connection of hold: what it does with servers of every kind. Blocking, so in a thread."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from agent_client.clock import boottime
from agent_client.errors import NoAnswer
from agent_client.hold.line import Line
from agent_client.hold.pulse import Pulse
from agent_client.settings import Settings
from tests.agent_client.certificates import Authority, serving_with

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from pathlib import Path

    from agent_client.messages import Reply

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}'
CHUNKED = (
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n'
)


class Server:
    """Answers each request with the next of `answers`; None hangs up, "" keeps silent."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[str] = []
        self.connections = 0
        self.port = 0
        self.open: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.requests.append(head.decode())
                await reader.readexactly(2)  # the body: {}
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class Client:
    def __init__(self, server: Server, scheme: str = "http", **settings: Any) -> None:
        url = f"{scheme}://127.0.0.1:{server.port}/prefix"
        self.pulse = Pulse(lambda: boottime() + 60)
        self.line = Line(Settings(url, "velero", "node 1", "me", **settings), self.pulse)

    async def sync(self, timeout: float = 20.0) -> Reply:
        return await asyncio.to_thread(self.line.sync, {}, timeout)

    async def fails(self, timeout: float = 20.0) -> str:
        with pytest.raises(NoAnswer) as error:
            await self.sync(timeout)
        return str(error.value)

    def close(self) -> None:
        self.line.close()
        self.pulse.close()


@asynccontextmanager
async def talking(
    server: Server, trust: ssl.SSLContext | None = None, **settings: Any
) -> AsyncIterator[Client]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=trust)
    server.port = listening.sockets[0].getsockname()[1]
    client = Client(server, "https" if trust else "http", **settings)
    try:
        yield client
    finally:
        client.close()
        for writer in server.open:
            writer.close()
            with suppress(OSError):  # it may have ended in any way
                await writer.wait_closed()
        listening.close()
        await listening.wait_closed()


async def test_one_connection_is_kept_for_all_syncs(tmp_path: Path) -> None:
    server = Server(PLAIN, CHUNKED, PLAIN)
    async with talking(server) as client:
        replies = [await client.sync() for _ in range(3)]
    assert [(reply.status, reply.payload) for reply in replies] == [(200, {"a": 1})] * 3
    assert server.connections == 1
    assert server.requests[0].startswith("POST /prefix/v1/namespaces/velero/nodes/node%201/sync ")


async def test_one_that_the_server_has_closed_meanwhile_is_not_used_again() -> None:
    server = Server(PLAIN, PLAIN)
    async with talking(server) as client:
        await client.sync()
        server.open[0].close()
        await server.open[0].wait_closed()
        await client.sync()
    assert server.connections == 2


async def test_an_answer_that_wants_the_connection_closed_gets_it_closed() -> None:
    server = Server(PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), PLAIN)
    async with talking(server) as client:
        await client.sync()
        await client.sync()
    assert server.connections == 2


async def test_the_token_is_read_anew_for_each_request(tmp_path: Path) -> None:
    file = tmp_path / "token"
    server = Server(PLAIN, PLAIN)
    async with talking(server, token_file=str(file)) as client:
        for token in ("one", "two"):
            file.write_text(f"{token}\n")
            await client.sync()
        file.unlink()
        assert str(file) in await client.fails()
    assert ["Bearer one" in server.requests[0], "Bearer two" in server.requests[1]] == [True, True]


async def test_retry_after_comes_along() -> None:
    answer = b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}"
    async with talking(Server(answer)) as client:
        reply = await client.sync()
    assert (reply.status, reply.retry_after) == (503, 7.0)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", None),
        (b"SMTP here\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", "no usable JSON"),
        (b"HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "redirects to /x"),
    ],
    ids=["hung up", "half of it", "no HTTP", "no JSON", "redirect"],
)
async def test_what_is_no_answer_is_told_and_the_next_one_is_taken(
    answer: bytes | None, why: str | None
) -> None:
    server = Server(answer, PLAIN)
    async with talking(server) as client:
        if answer and why is None:  # the server waits for more, the client too
            assert await client.fails(0.3)
        else:
            assert (why or "") in await client.fails()
        assert (await client.sync()).status == 200


async def test_silence_ends_with_the_time_given() -> None:
    async with talking(Server(b"")) as client:
        assert "no answer in time" in await client.fails(0.2)


async def test_a_port_where_nobody_listens_is_no_answer() -> None:
    server = Server()
    with socket.socket() as bound:  # and does not listen: nobody else can get the port meanwhile
        bound.bind(("127.0.0.1", 0))
        server.port = bound.getsockname()[1]
        client = Client(server)
        try:
            assert "refused" in (await client.fails()).lower()
        finally:
            client.close()


async def test_tls_is_spoken_to_whom_the_ca_has_signed_for_and_to_nobody_else(
    tmp_path: Path,
) -> None:
    ours, theirs = Authority("ours"), Authority("theirs")
    ca_file = tmp_path / "ca.pem"
    theirs.write(ca_file)
    server = Server(PLAIN, PLAIN)
    trust = serving_with(ours.server(tmp_path))
    async with talking(server, trust, ca_file=str(ca_file)) as client:
        assert "certificate" in (await client.fails()).lower()
        ours.write(ca_file)  # it is read anew
        assert [(await client.sync()).status for _ in range(2)] == [200, 200]
        theirs.write(ca_file)
        assert "certificate" in (await client.fails()).lower(), "the kept connection is not trusted"
    assert len(server.requests) == 2

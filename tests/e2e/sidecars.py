"""`slot-agent sidecar` as a program of a site, and what its clients see of it."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from tests.e2e.cluster import limits
from tests.e2e.holds import Hold
from tests.e2e.processes import LOAD, SCRIPTS
from tests.e2e.waiting import until
from tests.e2e.wire import PATIENCE, Http, NoAnswer
from tests.examples import workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.processes import Program, Site

TTL, SHORT = 60, 10
"""Seconds: one that a busy machine does not use up, and for who waits for its end the shortest."""


def serve(site: Site, slots: int, ttl: int = TTL) -> Sidecar:
    """A node with so many slots, its coordinator and its sidecar."""
    node = site.cluster.add_node()
    site.cluster.configure(limits(slots))
    site.start()
    return Sidecar(site, node, ttl)


class Local(Http):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("http://sidecar")
        self._path = path

    def _connection(self) -> HTTPConnection:
        connection = HTTPConnection("sidecar", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        try:
            connection.sock.connect(str(self._path))
        except OSError as error:
            connection.close()
            raise NoAnswer(repr(error)) from error
        return connection


class Sidecar:
    """The sidecar of a node, which a test may kill and start again: the same agent each time."""

    def __init__(self, site: Site, node: str, ttl: int) -> None:
        self.node = node
        self._ttl = ttl
        self.socket = site.folder / "s"
        self.api = Local(self.socket)
        self._site = site
        self._program: Program
        self.start()

    def start(self, *flags: str) -> None:
        """Starts it, and waits until it listens; it need not have found a coordinator."""
        command = [str(SCRIPTS / "slot-agent"), "sidecar", "--listen", str(self.socket)]
        command += ["--ttl", str(self._ttl), *flags]
        self._program = self._site.run("sidecar", self.node, command)
        until(self._listens, f"the sidecar listens: {self._program.output}")

    def _listens(self) -> bool:
        try:
            return self.api.get("/livez").status == 200
        except NoAnswer:
            return False

    def tell_to_stop(self) -> Program:
        """What comes back is the program, which may take its time."""
        self._program.send(signal.SIGTERM)
        return self._program

    def kill(self) -> None:
        self._program.send(signal.SIGKILL)
        assert self._program.exit_code() == 128 + signal.SIGKILL

    def put(self, load: str, wait: int = 50) -> dict[str, Any]:
        """How a named load stands, once it does not wait any more; it may go on waiting."""
        answer = self.api.put(f"/v1/slots/{load}?wait={wait}")
        assert answer.status in {200, 202}, answer.raw
        told: dict[str, Any] = answer.json
        return told

    def delete(self, load: str) -> None:
        answer = self.api.delete(f"/v1/slots/{load}")
        assert answer.status == 204, (answer.status, answer.raw)

    def slots(self) -> dict[str, Any]:
        """What it holds and waits for, by load."""
        return {slot["load"]: slot for slot in self.api.get("/v1/slots").json["slots"]}

    def work(self, language: str, *loads: str, seconds: float = 0.0) -> Program:
        """An example worker, whose loads write the site's journal."""
        load = [sys.executable, "-I", "-S", str(LOAD), str(self._site.folder), str(seconds), "0"]
        command = workers.worker(language, self.socket, loads, load)
        surroundings = workers.environment(self._site.folder, self.socket)
        return self._site.run(f"worker-{language}", self.node, command, **surroundings)

    @asynccontextmanager
    async def ask(self, load: str, **asking: Any) -> AsyncIterator[Stream]:
        """A client's open connection; the sidecar has read what it asks for. Raises Gone."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
        except OSError as error:
            raise Gone(str(error)) from error
        body = json.dumps({"load": load, **asking}).encode()
        head = f"POST /v1/slots HTTP/1.1\r\nHost: sidecar\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        stream = Stream(self.node, reader)
        try:
            await stream.next()
            yield stream
        finally:
            writer.close()


class Gone(Exception):
    """The sidecar is not there, or went away."""


class Stream:
    """The lines of one load. `line` is the last one."""

    def __init__(self, node: str, reader: asyncio.StreamReader) -> None:
        self.line: dict[str, Any] = {}
        self._node = node
        self._reader = reader

    async def next(self) -> dict[str, Any]:
        """The next line. Each is a chunk of its own, between lines that say how long it is."""
        while not (text := await self._read()).startswith(b"{"):
            if not text:
                raise Gone(f"the stream ended after {self.line}")
        self.line = json.loads(text)
        return self.line

    async def _read(self) -> bytes:
        try:
            return await self._reader.readline()
        except ConnectionError:
            return b""

    async def until(self, state: str) -> dict[str, Any]:
        """The first line of that state, be it the last one."""
        while self.line["state"] != state:
            await self.next()
        return self.line

    async def granted(self) -> Hold:
        """What the client sees of its slot from now on."""
        slot = await self.until("granted")
        seen = (self._node, slot["lease"], slot["fencingToken"], slot["claim"])
        return Hold(*seen, granted_at=time.monotonic())

    async def work(self, holds: list[Hold], seconds: float) -> None:
        """A load that runs so long under the slot. What was seen of it goes to `holds`."""
        hold = await self.granted()
        holds.append(hold)
        try:
            async with asyncio.timeout(seconds):
                while await self._read():
                    pass
        except TimeoutError:
            return
        finally:
            hold.release_sent_at = time.monotonic()
        raise Gone("it went while the load ran")

"""A sidecar of which the test says every word: the other side of the examples' clients."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from queue import Empty, SimpleQueue
from socketserver import ThreadingUnixStreamServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 60.0
"""Seconds; only a fault takes that long."""
QUEUED = {
    "state": "queued",
    "position": 2,
    "reason": 'all 2 slots are held, "here" too',
    "holders": ["backup-7/pvc-1"],
    "waitedSeconds": 3.2,
}
ASKING = {**QUEUED, "position": None, "reason": "asking the coordinator", "holders": []}
GRANTED = {
    "state": "granted",
    "slot": 1,
    "lease": "node1-slot-1",
    "fencingToken": 1201,
    "governed": True,
    "claim": "c-1",
    "node": "node1",
    "namespace": "velero",
}
UNGOVERNED = {**GRANTED, "slot": None, "lease": None, "fencingToken": None, "governed": False}


def problem(name: str, status: int = 409) -> dict[str, Any]:
    kind = f"https://nodeslots.io/problems/{name}"
    return {"type": kind, "title": name, "status": status, "detail": f"what to do about {name}"}


class Asked(BaseHTTPRequestHandler):
    """One request. The test answers it; `gone` is set when the client has closed its connection."""

    protocol_version = "HTTP/1.1"
    server: _Server
    body: Any

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.request)
        self.gone = threading.Event()
        self._streaming = False

    def _take(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.body = json.loads(content) if content else None
        self.server.asked.put(self)
        with suppress(ConnectionResetError):  # closed with lines unread
            self.rfile.read(1)  # there is no second request on a connection
        self.gone.set()
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = _take  # noqa: N815 - the names of http.server

    def say(self, *lines: dict[str, Any]) -> None:
        """Lines of a stream."""
        if not self._streaming:
            self._streaming = True
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        for line in lines:
            text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))

    def end(self) -> None:
        """The stream's orderly end, if the client has not gone already."""
        with suppress(OSError):  # a broken pipe, or a connection that is closed on this side too
            self.wfile.write(b"0\r\n\r\n")

    def answer(self, status: int, body: dict[str, Any] | None = None) -> None:
        """A whole answer."""
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if content:
            self.send_header("Content-Length", str(len(content)))
        self.flush_headers()
        self.wfile.write(b"\r\n" + content)  # at once: the client may be gone after it

    def wait_gone(self) -> None:
        assert self.gone.wait(DEADLINE), f"the connection of {self.path} is still open"

    def log_message(self, *_: object) -> None:
        """Nothing: the test tells what it saw."""


class _Server(ThreadingUnixStreamServer):
    request_queue_size = 64

    def __init__(self, path: Path) -> None:
        self.asked: SimpleQueue[Asked] = SimpleQueue()
        self.connections: list[socket.socket] = []
        super().__init__(str(path), Asked)


class FakeSidecar:
    """Listens at `socket` while its `with` lasts, and hangs up at its end."""

    def __init__(self, path: Path) -> None:
        self.socket = path
        self._server = _Server(path)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        for connection in self._server.connections:
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.server_close()

    def next(self) -> Asked:
        """The next request."""
        try:
            return self._server.asked.get(timeout=DEADLINE)
        except Empty:
            raise AssertionError("nobody asks") from None

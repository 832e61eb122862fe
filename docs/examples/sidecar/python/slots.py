"""Slots of this node from the slot sidecar (`slot-agent sidecar`), for any Python program.

One file and the standard library only: copy it. A slot of `Sidecar.slot` is held by an open
connection, so it is free as soon as the process that took it is gone, however it went. A slot of
`Sidecar.put` is held by the load's name, until `Sidecar.delete`: it outlives connection, process
and sidecar.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Status = dict[str, Any]
    """What the sidecar says of a load: "state", and what belongs to it."""

DEFAULT_SOCKET = "/run/node-slots/agent.sock"
PATIENCE = 30
"""Seconds for an answer, on top of those that the sidecar was asked to wait."""


class NoSidecar(Exception):
    """The sidecar was not reached, is starting or stopping, or went away: ask again."""


class NoSlot(Exception):
    """No slot was got; `problem` is the RFC 9457 problem that says why and what to do."""

    def __init__(self, problem: Status) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or str(problem))
        self.problem = problem


class Slot:
    """A slot that is held by its connection. `granted` is the line that granted it."""

    def __init__(self, granted: Status, connection: socket.socket) -> None:
        self.granted = granted
        self.lost = threading.Event()
        """Set when the slot is lost, or the sidecar gone, which renews it no more."""
        self.released = False
        self._connection = connection

    def fileno(self) -> int:
        """The connection. A child that inherits it holds the slot even when this process dies."""
        return self._connection.fileno()

    @property
    def environment(self) -> dict[str, str]:
        """The slot as SLOT_* variables, as `slot-agent run` gives them to its command."""
        told = {
            "SLOT_GOVERNED": "true" if self.granted["governed"] else "false",
            "SLOT_NAMESPACE": self.granted["namespace"],
            "SLOT_NODE": self.granted["node"],
            "SLOT_CLAIM": self.granted["claim"],
            "SLOT_ORDINAL": self.granted["slot"],
            "SLOT_LEASE": self.granted["lease"],
            "SLOT_FENCING_TOKEN": self.granted["fencingToken"],
        }
        return {name: str(value) for name, value in told.items() if value is not None}


class Sidecar:
    """One sidecar, by its socket. Threads may share it: every call has its own connection."""

    def __init__(self, path: str = DEFAULT_SOCKET) -> None:
        self._path = path

    @contextmanager
    def slot(
        self,
        load: str,
        on_change: Callable[[Status], None] = lambda _: None,
        on_lost: Callable[[], None] = lambda: None,
        **asking: Any,
    ) -> Iterator[Slot]:
        """A slot for the body of `with`. Raises NoSlot and NoSidecar, only before the body.

        `asking` goes to the sidecar as it is: priority, timeoutSeconds, ifUnavailable, pod.
        `on_change` gets each line, `on_lost` is called once; both from a thread of the slot.
        """
        connection, lines = self._open("POST", "/v1/slots", {"load": load, **asking}, None)
        try:
            granted = _wait(lines, on_change)
            slot = Slot(granted, connection)
            watch = threading.Thread(target=_watch, args=(slot, lines, on_change, on_lost))
            watch.start()
            try:
                yield slot
            finally:
                slot.released = True
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # also when a child has inherited it
                watch.join()
        finally:
            lines.close()
            connection.close()

    def put(self, load: str, wait: int = 0, **asking: Any) -> Status:
        """Ask for the slot of a named load, or find it again; waits `wait` seconds for a change.

        Call it again while the state is "queued". Raises NoSlot and NoSidecar, as all calls do.
        """
        return self._call("PUT", load, wait, asking)

    def get(self, load: str, wait: int = 0) -> Status:
        """What is known of a named load, at once or when it changes: its holder hears "lost" so."""
        return self._call("GET", load, wait)

    def delete(self, load: str) -> Status:
        """Give the slot of a named load back, or leave the queue. "releasing": not confirmed."""
        return self._call("DELETE", load)

    def _call(self, method: str, load: str, wait: int = 0, body: Status | None = None) -> Status:
        path = f"/v1/slots/{quote(load, safe='')}?wait={wait}"
        connection, answer = self._open(method, path, body, wait + PATIENCE)
        with connection, answer, _connected():
            return dict(json.loads(answer.read() or b"{}"))

    def _open(
        self, method: str, path: str, body: Status | None, timeout: float | None
    ) -> tuple[socket.socket, http.client.HTTPResponse]:
        """Connection and answer of a request that was not refused; both are to be closed."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            with _connected():
                connection.connect(self._path)
                speaking = http.client.HTTPConnection("sidecar")
                speaking.sock = connection
                content = None if body is None else json.dumps(body)
                speaking.request(method, path, content, {"Content-Type": "application/json"})
                answer = speaking.getresponse()
            if answer.status >= 300:
                raise _refusal(answer)
        except BaseException:
            connection.close()
            raise
        return connection, answer


@contextmanager
def _connected() -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise NoSidecar(f"no sidecar: {error!r}") from error


def _refusal(answer: http.client.HTTPResponse) -> Exception:
    try:
        problem = json.loads(answer.read())
    except ValueError:
        problem = {"title": f"{answer.status} {answer.reason}"}
    passing = problem.get("type", "").endswith(("/stopping", "/not-ready"))
    return NoSidecar(problem["detail"]) if passing else NoSlot(problem)


def _wait(lines: http.client.HTTPResponse, on_change: Callable[[Status], None]) -> Status:
    """The line that grants. Raises NoSlot and NoSidecar."""
    while (line := _next(lines, on_change))["state"] != "granted":
        if "problem" in line:
            raise NoSlot(line["problem"])
    return line


def _next(lines: http.client.HTTPResponse, on_change: Callable[[Status], None]) -> Status:
    with _connected():
        text = lines.readline()
    if not text:
        raise NoSidecar("the stream ended")
    line: Status = json.loads(text)
    on_change(line)
    return line


def _watch(
    slot: Slot,
    lines: http.client.HTTPResponse,
    on_change: Callable[[Status], None],
    on_lost: Callable[[], None],
) -> None:
    """Until the slot is lost or given back."""
    with suppress(NoSidecar):
        while _next(lines, on_change)["state"] != "lost":
            pass
    if not slot.released:
        slot.lost.set()
        on_lost()

"""Server-sent events as the HTML standard has them (section 9.2.6), one `Event` each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

MOST = 4 * 1024 * 1024
"""Characters of one event at most; what is longer is no event of ours."""


class Garbled(Exception):
    """What comes is no stream of events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, its data as JSON (None where it is none), and its id, "" without one."""

    name: str
    data: Any
    id: str = ""


@dataclass(slots=True)
class Parser:
    """Bytes in, events out. `retry` is the pause in seconds that the server asked for."""

    retry: float = 1.0
    _rest: bytes = b""
    _name: str = ""
    _id: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes. Raises `Garbled`."""
        *lines, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(b"\n")
        if len(self._rest) > MOST:
            raise Garbled(f"a line of the events is longer than {MOST} bytes")
        return [event for line in lines if (event := self._line(line.decode("utf-8", "replace")))]

    def _line(self, line: str) -> Event | None:
        if not line:
            return self._end()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._add(value)
        elif name == "id":
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value[:9]) / 1000
        return None

    def _add(self, text: str) -> None:
        self._data.append(text)
        if sum(map(len, self._data)) > MOST:
            raise Garbled(f"an event is longer than {MOST} characters")

    def _end(self) -> Event | None:
        name, data, number = self._name or "message", "\n".join(self._data), self._id
        is_event = bool(self._data)
        self._name, self._id, self._data = "", "", []
        return Event(name, _json(data), number) if is_event else None


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None

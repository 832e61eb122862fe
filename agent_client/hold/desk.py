"""Where hold tells how it stands: its log, `hold.json`, and the gate of the startup probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_client.hold import record as r
from agent_client.hold.files import signature
from agent_client.hold.holding import Before
from agent_client.hold.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.hold.files import Files


class Desk:
    """Raises `Unwritable` where the folder of `files` cannot be used.

    `say` gets lines for people; `publish` each new record, for programs that read the log.
    """

    def __init__(
        self,
        files: Files,
        say: Callable[[str], None],
        publish: Callable[[r.Record], None] = lambda _: None,
    ) -> None:
        self._files = files
        self._say = say
        self._publish = publish
        self._reporter = Reporter()
        self._earlier = files.open()
        self._last: r.Record = self._earlier
        self._unwritten = False

    def before(self, stem: str) -> Before:
        """What an earlier process of this container held, if it was for the same claim."""
        told = self._earlier
        if told.get("stem") != stem:
            return Before()
        return Before(told.get("generation", 0), told.get("fencingToken"))

    def tell(self, record: r.Record, now: float) -> None:
        """Write and say what has changed since the last time."""
        changed, lines = self._reporter.news(record, now)
        if changed or self._unwritten:
            self._write({**record, "since": self._reporter.since, **signature()})
        for line in lines:
            self._say(line)

    def leave(self, *, held: bool, heard: bool) -> None:
        """Nothing more will be told. The record stays for the container's next start."""
        self._write({**self._last, "state": r.LEFT})
        done = (
            "the slot is freed once the Pod's own containers have ended" if held else "not asking"
        )
        unheard = "" if heard else " (no coordinator heard it in time; it will find out)"
        self._say(f"told to end: {done}{unheard}")

    def _write(self, record: r.Record) -> None:
        self._last = record
        try:
            self._files.allow(may_run=record["state"] in r.MAY_START)
            self._files.write(record)
        except OSError as error:
            if not self._unwritten:
                self._say(f"cannot write to the state folder: {error.strerror}; trying again")
            self._unwritten = True
        else:
            self._unwritten = False
            self._publish(record)

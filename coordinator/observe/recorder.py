"""Keep a recording in a file: append only, whole lines, nothing that did not change."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Self

from coordinator.observe import journal
from coordinator.observe.journal import Entry, NoRecording

if TYPE_CHECKING:
    from pathlib import Path

    from coordinator.observe.journal import Value
    from coordinator.velero.world import World


class Recorder:
    """Writes a file, going on where it ended. Raises OSError, and `NoRecording` for a file of
    something else, or of a Velero in another namespace.

    Use it as a context manager: leaving it writes when the last look was.
    """

    def __init__(self, path: Path, every: float) -> None:
        self.path = path
        self.written = 0
        """Lines so far."""
        self._every = every
        self._last: float | None = None
        content = path.read_bytes() if path.exists() else b""
        before = journal.read(content, str(path)) if content.strip() else journal.Recording()
        self._state: dict[str, Value] = before.state
        self._namespace = before.namespace
        self._file = path.open("ab")
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")  # it was cut short: the next line is one of its own

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError), self._file:  # a full disk was told already
            if self._last is not None:
                self._write([Entry(self._last, journal.END, {})])

    def take(self, world: World) -> None:
        """Write what is another since the last look."""
        self._require_same(world)
        state = journal.state_of(world)
        entries = list(journal.changes(self._state, state, world.taken))
        if self._last is None:
            entries.insert(0, journal.begin(world, self._every))
        self._write(entries)
        self._state, self._last = state, world.taken

    def _require_same(self, world: World) -> None:
        """Two Veleros in one file would each look gone when the other is seen."""
        self._namespace = self._namespace or world.namespace
        if self._namespace != world.namespace:
            raise NoRecording(
                f"{self.path} is a recording of namespace {self._namespace}: give"
                f" {world.namespace} a file of its own"
            )

    def _write(self, entries: list[Entry]) -> None:
        """In one piece, so that a reader seldom sees half of it."""
        if entries:
            self._file.write(journal.write(entries))
            self._file.flush()
            self.written += len(entries)

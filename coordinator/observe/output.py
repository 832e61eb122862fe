"""Where looks are shown: a table drawn anew on a terminal, lines in a pipe, JSON lines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.live import Live

from coordinator.observe import as_json
from coordinator.observe.changes import changes
from coordinator.observe.text import render
from coordinator.observe.words import clock

if TYPE_CHECKING:
    from coordinator.observe.picture import Picture


class Output(Protocol):
    """What looks are told to."""

    def show(self, seen: Picture) -> None:
        """How things stand now."""

    def tell(self, at: float, text: str) -> None:
        """Something about the looking itself, as that the API server is away."""

    def close(self) -> None:
        """No more looks."""


class Terminal:
    """A table that is drawn anew in its place; what is told goes above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False)

    def show(self, seen: Picture) -> None:
        """Draw."""
        if not self._live.is_started:
            self._live.start()
        self._live.update(render(seen, self._console.width), refresh=True)

    def tell(self, at: float, text: str) -> None:
        """Above the table."""
        self._console.print(f"{clock(at)}  {text}", style="yellow", markup=False, highlight=False)

    def close(self) -> None:
        """The last table stays on the screen."""
        self._live.stop()


class Lines:
    """The first look as a table, then a line for each change: for a pipe, a file, a CI log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: Picture | None = None

    def show(self, seen: Picture) -> None:
        """What is another since the last look."""
        if self._before is None:
            self._console.print(render(seen, self._console.width))
        else:
            for line in changes(self._before, seen):
                print(line)
        self._before = seen
        sys.stdout.flush()

    def tell(self, at: float, text: str) -> None:
        """Among the changes, where it belongs."""
        print(f"{clock(at)}  {text}", flush=True)

    def close(self) -> None:
        """Nothing to end."""


class JsonLines:
    """One object for each look that shows something new; what is told goes to stderr."""

    def __init__(self, *, whole: bool) -> None:
        self._indent = 2 if whole else None
        self._before: Picture | None = None

    def show(self, seen: Picture) -> None:
        """The whole picture, if it changed."""
        if self._before is None or any(True for _ in changes(self._before, seen)):
            print(json.dumps(as_json.picture(seen), indent=self._indent), flush=True)
        self._before = seen

    def tell(self, at: float, text: str) -> None:
        """Not among the data."""
        print(f"{clock(at)}  {text}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to end."""


def output(kind: str, *, follows: bool) -> Output:
    """The one for `-o` and for where standard output leads."""
    if kind == "json":
        return JsonLines(whole=not follows)
    console = Console(soft_wrap=False)
    drawable = sys.stdout.isatty() and console.encoding.startswith("utf")
    if follows and drawable and not console.is_dumb_terminal:
        return Terminal(console)
    return Lines(console)

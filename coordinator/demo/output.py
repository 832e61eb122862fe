"""Where it is shown: a live table on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from coordinator.demo.screen import render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coordinator.demo.screen import Frame

EVERY_SECONDS = 2.0
"""How often a plain line tells how things stand."""


class Output(Protocol):
    """What the demo tells its stories to."""

    def tell(self, line: str, style: str = "") -> None:
        """A line that stays; the style (bold, red, green ...) is for those who can see it."""

    def event(self, seconds: float, text: str) -> None:
        """Something happened, so many seconds from the start."""

    def show(self, frame: Frame) -> None:
        """How things stand."""

    def close(self) -> None:
        """No more frames; lines may follow."""


class Terminal:
    """A table that is drawn anew in its place; lines go above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def tell(self, line: str, style: str = "") -> None:
        """Longer lines are left to the terminal, so that they can be copied whole."""
        self._console.print(line, style=style, soft_wrap=True, markup=False, highlight=False)

    def event(self, seconds: float, text: str) -> None:
        """Above the table."""
        self._console.print(Text.assemble((f"{seconds:5.1f} s  ", "cyan"), (text, "bold")))

    def show(self, frame: Frame) -> None:
        """Draw."""
        drawn = render(frame, self._console.width)
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(drawn, refresh=True)

    def close(self) -> None:
        """The last frame stays on the screen, and the cursor is back."""
        if self._live:
            self._live.stop()
            self._live = None


class Lines:
    """Lines only: for a pipe, a file, a CI log."""

    def __init__(self) -> None:
        self._next = 0.0

    def tell(self, line: str, style: str = "") -> None:
        """At once: whoever reads a pipe wants to see it now."""
        print(line, flush=True)

    def event(self, seconds: float, text: str) -> None:
        """With its time."""
        self.tell(f"{seconds:5.1f} s  {text}")

    def show(self, frame: Frame) -> None:
        """One line every two seconds."""
        if frame.elapsed >= self._next:
            self._next = frame.elapsed - frame.elapsed % EVERY_SECONDS + EVERY_SECONDS
            self.event(frame.elapsed, "   ".join(_nodes(frame)))

    def close(self) -> None:
        """Nothing to end."""


def _nodes(frame: Frame) -> Iterable[str]:
    for name, node in sorted(frame.seen.nodes.items()):
        yield f"{name}: {len(node.slots)} of {node.limit} held, {len(node.queue)} wait"


def output() -> Output:
    """The one that fits standard output."""
    console = Console()
    unicode = console.encoding.startswith("utf")
    drawable = sys.stdout.isatty() and unicode and not console.is_dumb_terminal
    return Terminal(console) if drawable else Lines()

"""One line that updates, while waiting at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agent_client.wrapper.telling import Place, Plain, printable, span

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_client.messages import Queued
    from agent_client.slot import AsyncSlot

_CLEAR = "\r\x1b[K"
"""To the line's beginning, and wipe to its end. No colours: there is nothing for NO_COLOR."""


class Screen(Protocol):
    """The terminal that the line stands on."""

    def write(self, text: str) -> None:
        """Show `text` at once."""

    @property
    def width(self) -> int:
        """Columns, as they are now."""

    @property
    def is_ours(self) -> bool:
        """Whether we are in the foreground; in the background the prompt is somebody else's."""


class Line:
    """A `Teller` with one line, drawn anew twice a second at most; troubles scroll above it."""

    every = 0.5

    def __init__(self, screen: Screen, waited: Callable[[], float]) -> None:
        self._screen = screen
        self._waited = waited
        self._plain = Plain(self._above, waited)
        self._place: Place | None = None
        self._shown = ""
        self._over = False

    def queued(self, place: Queued) -> None:
        """As in `Teller`. Nothing but the first place is drawn before its tick."""
        first, self._place = self._place is None, Place(place, self._waited())
        if not self._screen.is_ours:
            self._plain.queued(place)
        elif first:
            self._draw(None)

    def tick(self, silent: float | None) -> None:
        """As in `Teller`."""
        if self._screen.is_ours:
            self._draw(silent)

    def granted(self, slot: AsyncSlot) -> None:
        """As in `Teller`: that the line goes says it."""

    def stop_waiting(self) -> None:
        """As in `Teller`."""
        self._over = True
        self._wipe()

    def trouble(self, event: str, text: str, **details: object) -> None:
        """As in `Teller`."""
        self._plain.trouble(event, text, **details)

    def note(self, event: str, **details: object) -> None:
        """As in `Teller`."""

    def _above(self, line: str) -> None:
        """A lasting line takes the place of the updating one, which is drawn below it again."""
        shown = self._shown
        self._wipe()
        self._screen.write(f"{line}\n")
        if shown and not self._over:
            self._show(shown)

    def _draw(self, silent: float | None) -> None:
        text = fit(self._text(silent), self._screen.width - 1)  # a full line would wrap
        if text != self._shown and not self._over:
            self._show(text)

    def _show(self, text: str) -> None:
        self._shown = text
        self._screen.write(f"{_CLEAR}{text}")

    def _wipe(self) -> None:
        if self._shown:
            self._shown = ""
            self._screen.write(_CLEAR)

    def _text(self, silent: float | None) -> str:
        waited = f"slot-agent: waiting {span(self._waited())}"
        if silent is not None:
            return f"{waited}: no coordinator answers for {span(silent)}"
        if self._place is None:
            return f"{waited}: asking for a slot"
        return f"{waited} {self._place.told(self._waited())}"


def fit(text: str, width: int) -> str:
    """`text` cut to so many columns; what was cut shows as three dots."""
    from unicodedata import combining, east_asian_width

    def columns(character: str) -> int:
        return 0 if combining(character) else 1 + (east_asian_width(character) in "WF")

    text = printable(text)
    if sum(map(columns, text)) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += columns(character)
        if used > width - 3:
            break
        kept += character
    return (kept + "...")[: max(width, 0)]

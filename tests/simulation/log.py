"""What happened in one seed, line by line; the same seed writes the same lines."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Log:
    """Lines with the virtual time in front. `echo` is called with each line as it comes."""

    def __init__(self, now: Callable[[], float], echo: Callable[[str], object] | None) -> None:
        self._now = now
        self._echo = echo
        self.lines: list[str] = []

    def __call__(self, who: str, what: str) -> None:
        line = f"{self._now():11.6f} {who:8} {what}"
        self.lines.append(line)
        if self._echo is not None:
            self._echo(line)

    def digest(self) -> str:
        """One short text that is another one if a single byte differs."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]

"""Every generated page, and what makes it. `python -m tests.docs.reference.pages` writes them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.docs.places import DOCS, name_of
from tests.docs.reference import alerts, commands, events, exits, metrics, rest, settings

if TYPE_CHECKING:
    from collections.abc import Callable

PAGES: dict[str, Callable[[], str]] = {
    "rest.md": rest.text,
    "settings.md": settings.text,
    "metrics.md": metrics.text,
    "commands.md": commands.text,
    "exit-codes.md": exits.text,
    "alerts.md": alerts.text,
    "events.md": events.text,
}
"""By the name in docs/reference."""


def write() -> None:
    """Write those that are not current, and say which."""
    for name, make in PAGES.items():
        path, text = DOCS / "reference" / name, make()
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            sys.stdout.write(f"== {name_of(path)}\n")


if __name__ == "__main__":
    write()

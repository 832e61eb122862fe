"""Markdown that GitHub and every other reader understand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table, and an empty one after it."""
    lines = [_row(header), _row(["---"] * len(header))]
    return [*lines, *(_row([_cell(text) for text in row]) for row in rows), ""]


def code(text: str) -> str:
    """A code span; nothing for nothing."""
    return f"`{text}`" if text else ""


def page(title: str, source: str, lines: Iterable[str]) -> str:
    """A whole page, that says what it was made from."""
    made = f"Made from {source} by `make docs`; a test says that it is current. Do not edit it."
    return "\n".join([f"# {title}", "", f"<!-- {made} -->", "", *lines]).rstrip() + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())

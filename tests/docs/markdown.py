"""What a Markdown page refers to, and what can be referred to in it, as GitHub reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"^(```+)[^`]*$")
_HEADING = re.compile(r"^#{1,6} +(.*?) *#*$")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)(?: \"[^\"]*\")?\)")
_SOURCE = re.compile(r"<(?:img|source|a)\b[^>]*?(?:src|srcset|href)=\"([^\"]+)\"")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_STYLED = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|[`*]")


def slug(title: str) -> str:
    """The anchor that GitHub gives a heading: lower case, words joined, punctuation dropped."""
    plain = _STYLED.sub(lambda found: found[1] or "", title)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def prose(text: str) -> str:
    """The page without its fenced blocks; the lines stay where they are."""
    return "\n".join("" if inside else line for inside, line in _lines(text))


def blocks(text: str) -> str:
    """The fenced blocks alone."""
    return "\n".join(line for inside, line in _lines(text) if inside)


def anchors(text: str) -> set[str]:
    """Every place of the page that a link can name; repeated titles are numbered."""
    found: dict[str, int] = {}
    named = set()
    for line in prose(text).splitlines():
        if match := _HEADING.match(line):
            name = slug(match[1])
            count = found[name] = found.get(name, -1) + 1
            named.add(f"{name}-{count}" if count else name)
    return named


def links(text: str) -> list[str]:
    """What the page links to, pictures included."""
    bare = _SPAN.sub("", prose(text))
    return [*_LINK.findall(bare), *_SOURCE.findall(bare)]


def spans(text: str) -> list[str]:
    """What stands in code spans."""
    return [found[2].strip() for found in _SPAN.finditer(prose(text))]


def _lines(text: str) -> Iterator[tuple[bool, str]]:
    fence = ""
    for line in text.splitlines():
        match = _FENCE.match(line.strip())
        if match and (not fence or match[1] == fence):
            fence = "" if fence else match[1]
            yield True, line
        else:
            yield bool(fence), line

"""Every link of every page leads somewhere, and every page can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs import markdown
from tests.docs.places import DOCS, ROOT, name_of, pages

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {name_of(page): page for page in pages()}


def broken(page: Path, target: str) -> str:
    """What is wrong with a link of this page; "" when it leads somewhere."""
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    if not there.is_relative_to(ROOT) or not there.exists():
        return f"{target}: there is no such file"
    if not anchor:
        return ""
    if there.suffix != ".md" or anchor not in markdown.anchors(there.read_text("utf-8")):
        return f"{target}: there is no such place in that file"
    return ""


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = PAGES[name]
    targets = markdown.links(page.read_text("utf-8"))
    inside = [target for target in targets if not target.startswith(("https://", "http://"))]
    assert [why for target in inside if (why := broken(page, target))] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for target in markdown.links(page.read_text("utf-8")):
            path = target.partition("#")[0]
            if path and "://" not in path and (page.parent / path).exists():
                ahead.append((page.parent / path).resolve())
    assert {name_of(page) for page in PAGES.values() if page not in seen} == set()


def test_the_index_lists_every_page_of_the_documentation() -> None:
    index = DOCS / "README.md"
    listed = {
        (DOCS / target.partition("#")[0]).resolve()
        for target in markdown.links(index.read_text("utf-8"))
    }
    assert {name_of(page) for page in DOCS.rglob("*.md") if page not in {index, *listed}} == set()


def test_every_picture_is_shown_somewhere() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES.values()
        for target in markdown.links(page.read_text("utf-8"))
    }
    pictures = set((DOCS / "images").iterdir())
    assert {name_of(picture) for picture in pictures - shown} == set()

"""The generated pages are what the code says now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.places import DOCS
from tests.docs.reference.exits import codes
from tests.docs.reference.pages import PAGES
from tests.docs.reference.programs import commands

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = DOCS / "reference"
SILENT = {"slot-coordinator version"}
"""Commands of whose exit code there is nothing to say."""


@pytest.mark.parametrize(("name", "make"), PAGES.items(), ids=list(PAGES))
def test_a_generated_page_is_current(name: str, make: Callable[[], str]) -> None:
    written = (FOLDER / name).read_text("utf-8")
    assert written == make(), f"docs/reference/{name} is not current: make docs"


def test_there_is_nothing_else_in_the_reference() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)


def test_every_command_tells_its_exit_codes() -> None:
    told = {one.name: codes(one) for one in commands() if not one.of_plugin}
    assert {name for name, found in told.items() if not found} == SILENT
    for name in told.keys() - SILENT:
        numbers = [key.strip("`") for key, _ in told[name]]
        assert all(what for _, what in told[name])
        assert len(set(numbers)) == len(numbers)
        assert all(number.isdecimal() and int(number) < 256 for number in numbers if number)

"""The tools as fixtures have them: at hand, or a loud skip."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.realserver import report
from tests.tools import definitions
from tests.tools.programs import Tool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.realserver.programs import GoPrograms
    from tests.tools.definitions import Definition


def tool(programs: GoPrograms, home: Path) -> Tool:
    """The tool with `home` as its home; skips, or fails where nothing may be left out."""
    folder = programs.find()
    if folder is None:
        _go_without(programs.title)
    (name,) = programs.packages
    return Tool(folder / name, home)


def defined() -> list[Definition]:
    """The definitions of other projects' kinds; skips, or fails likewise."""
    found = definitions.find()
    if found is None:
        _go_without(definitions.TITLE)
    return found


def _go_without(title: str) -> NoReturn:
    why = report.without(title, "not there (make tools)")
    if report.is_required():
        pytest.fail(why)
    pytest.skip(why)

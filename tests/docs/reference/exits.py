"""docs/reference/exit-codes.md: what every command exits with, as its own help says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.docs.reference.programs import commands
from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.reference.programs import Command

TITLE = "exit codes:"
INTRO = """\
What a script can build on. `slot-agent` takes the numbers of `sysexits.h`, so that they seldom
collide with those of the command that it runs. The codes of `kubectl node-slots` are those of
all of its commands."""
_ONE_A_LINE = re.compile(r"^ {2,}(\d+)  (.*)$")


def text() -> str:
    """The whole page."""
    return page("Exit codes", "what the programs say with `--help`", _lines())


def _lines() -> Iterator[str]:
    yield from INTRO.splitlines()
    yield ""
    for command in commands():
        if found := codes(command):
            yield f"## {command.name}"
            yield ""
            yield from table(["code", "means"], found)


def codes(command: Command) -> list[tuple[str, str]]:
    """Each code and its meaning; nothing for a command that tells none."""
    told = command.epilog.partition(TITLE)[2]
    return _listed(told) if told.startswith("\n") else _in_a_row(told)


def _in_a_row(told: str) -> list[tuple[str, str]]:
    """As `0 clean; 1 refused: the last good one stays; 2 a file cannot be read`."""
    parts = re.split(r";\s+(?=\d+ )", " ".join(told.split()))
    pairs = (part.partition(" ") for part in parts if part)
    return [(code(key), what) for key, _, what in pairs]


def _listed(told: str) -> list[tuple[str, str]]:
    """One code a line; a line without one goes on with that before it, or tells of no number."""
    found: list[tuple[str, str]] = []
    for line in told.strip("\n").split("\n\n")[0].splitlines():
        if match := _ONE_A_LINE.match(line):
            found.append((code(match[1]), match[2].strip()))
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        else:
            found.append(("", line.strip()))
    return found

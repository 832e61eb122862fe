"""docs/reference/commands.md: every command and its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.docs.reference.programs import commands
from tests.docs.reference.tables import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.reference.programs import Command, Option

TOLD_ELSEWHERE = "slot-coordinator serve"
"""Its options are settings, which have a page of their own."""

INTRO = """\
Every command tells the same with `--help`, with examples. What they exit with:
[exit codes](exit-codes.md). Shell completion: `--print-completion bash` (zsh, tcsh) of
each program.

`kubectl node-slots` is the plugin ([kubectl.md](../kubectl.md)); without kubectl it runs as
`kubectl-node_slots`. Its options about the cluster and the coordinator are those of each of its
commands."""


def text() -> str:
    """The whole page."""
    return page("Commands", "the programs' own command lines", _lines())


def _lines() -> Iterator[str]:
    yield from INTRO.splitlines()
    yield ""
    for command in commands():
        yield f"## {command.name}"
        yield ""
        yield from _about(command)
        if command.name == TOLD_ELSEWHERE:
            yield "Every option is a setting: [settings](settings.md)."
            yield ""
        elif options := command.options():
            yield from table(["option", "value", ""], [_row(one) for one in options])


def _about(command: Command) -> Iterator[str]:
    """The first paragraph; the rest is for the terminal, where it is laid out by hand."""
    if first := command.about.split("\n\n")[0]:
        yield from first.splitlines()
        yield ""


def _row(option: Option) -> tuple[str, ...]:
    return ", ".join(map(code, option.names)), code(option.value), option.text

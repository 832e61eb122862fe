"""What `velero check` prints: for people, and for programs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich.text import Text

from coordinator.core.words import count
from coordinator.velero.check_model import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from coordinator.velero.check_model import Finding
    from coordinator.velero.world import World

_STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.ERROR: "bold red"}
_INDENT = 9
"""Columns of the level, and of what belongs to a finding."""
_WIDEST = 110
"""Lines of text are not easier to read for being longer."""


def print_text(
    console: Console, world: World, found: Sequence[Finding], *, installed: bool
) -> None:
    """Each finding under its topic, then the verdict. Commands are never broken into lines."""
    _line(console, Text(_head(world), "bold"))
    told: set[str] = set()
    for one in found:
        _finding(console, one, told)
    _line(console, Text())
    _line(console, _verdict(found, installed))


def report(world: World, found: Sequence[Finding], *, ready: bool) -> dict[str, Any]:
    """What `-o json` prints; its keys are stable."""
    return {
        "namespace": world.namespace,
        "velero": world.velero,
        "kubernetes": world.kubernetes,
        "ready": ready,
        "findings": [
            {
                "level": one.level.value,
                "about": one.about,
                "text": one.text,
                "todo": one.todo,
                "commands": list(one.commands),
            }
            for one in found
        ],
    }


def _head(world: World) -> str:
    nodes = count(len(world.nodes), "node")
    return f"Velero in namespace {world.namespace}, {nodes}"


def _finding(console: Console, one: Finding, told: set[str]) -> None:
    width = min(console.width, _WIDEST)
    lines = textwrap.wrap(
        f"{one.about}: {one.text}", width - _INDENT, break_long_words=False, break_on_hyphens=False
    )
    margin = " " * _INDENT
    for at, line in enumerate(lines):
        text = Text(margin if at else f"{one.level.value:<{_INDENT}}", _STYLES[one.level])
        text.append(line, "default")
        if not at:
            text.stylize("bold", _INDENT, _INDENT + len(one.about) + 1)
        _line(console, text)
    for line in textwrap.wrap(one.todo, width - _INDENT - 3, break_on_hyphens=False):
        first = line == one.todo or one.todo.startswith(line)
        _line(console, Text(margin + ("-> " if first else "   ") + line, "bold"))
    _commands(console, one, told)


def _commands(console: Console, one: Finding, told: set[str]) -> None:
    """Whole, so that they can be copied; what was said before is not said again."""
    margin = " " * (_INDENT + 3)
    new = [command for command in one.commands if command not in told]
    for command in new:
        _line(console, Text(margin + command, "dim"))
    if one.commands and not new:
        _line(console, Text(margin + "(the same commands as above)", "dim"))
    told.update(new)


def _verdict(found: Sequence[Finding], installed: bool) -> Text:
    errors = sum(one.level is Level.ERROR for one in found)
    warnings = sum(one.level is Level.WARNING for one in found)
    ready = "Ready" if installed else "Ready for `slot-coordinator velero install`"
    warned = count(warnings, "warning")
    if errors:
        return Text(f"Not ready: {count(errors, 'error')}, {warned}.", "bold red")
    if warnings:
        return Text(f"{ready}, with {warned}.", "bold yellow")
    return Text(f"{ready}.", "bold green")


def _line(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True, highlight=False)

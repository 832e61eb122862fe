"""The three programs and all of their commands, as their own parsers tell them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_client.cli.main import _parser as agent
from coordinator.cli import _parser as coordinator
from coordinator.kubectl.cli import PROG as PLUGIN
from coordinator.kubectl.cli import parser as plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTION = ("the cluster", "the coordinator")
"""The groups of options that every command of the plugin has."""


@dataclass(frozen=True, slots=True)
class Option:
    """One flag or argument; `text` is its help as a person reads it."""

    names: tuple[str, ...]
    value: str
    text: str
    group: str


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a program, as `slot-coordinator velero check`."""

    name: str
    parser: argparse.ArgumentParser
    summary: str = ""
    """Its line in the list of its program's commands."""

    @property
    def about(self) -> str:
        """What it does, without the examples that follow."""
        told = self.parser.description or self.summary
        return told.split("\nexamples:")[0].strip()

    @property
    def of_plugin(self) -> bool:
        """Whether it is a command of the plugin, and not the plugin itself."""
        return self.name.startswith(f"{PLUGIN} ")

    @property
    def epilog(self) -> str:
        """What follows the options."""
        return self.parser.epilog or ""

    def options(self) -> list[Option]:
        """All of them but --help and what is hidden."""
        formatter = self.parser._get_formatter()
        hidden = CONNECTION if self.of_plugin else ()
        return [
            Option(
                tuple(action.option_strings) or (_value(action),),
                _value(action) if action.option_strings else "",
                formatter._expand_help(action) if action.help else "",
                group.title or "",
            )
            for group in self.parser._action_groups
            if group.title not in hidden
            for action in group._group_actions
            if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
            and action.help != argparse.SUPPRESS
        ]


def programs() -> list[argparse.ArgumentParser]:
    """The parsers of all programs."""
    return [coordinator(), agent(), plugin()]


def commands() -> Iterator[Command]:
    """Every command of every program that does something by itself."""
    for program in programs():
        yield from _leaves(program)


def _leaves(parser: argparse.ArgumentParser, summary: str = "") -> Iterator[Command]:
    below = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not below or not below[0].required:
        yield Command(parser.prog, parser, summary)
    for action in below:
        summaries = {one.dest: one.help or "" for one in action._choices_actions}
        for name, child in action.choices.items():
            if name in summaries:  # an alias has no line of its own
                yield from _leaves(child, summaries[name])


def _value(action: argparse.Action) -> str:
    """What stands for the value in the usage; "" for a switch."""
    if action.nargs == 0:
        return ""
    if action.metavar:
        return action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar)
    if action.choices:
        return "|".join(map(str, action.choices))
    return action.dest.upper()

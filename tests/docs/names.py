"""The names that exist: commands with their flags, make targets."""

from __future__ import annotations

import re
from functools import cache

from tests.docs.places import ROOT
from tests.docs.reference.programs import commands, programs

_LINE = re.compile(
    r"(?<![\w/.-])(slot-coordinator|slot-agent|kubectl[ -]node[-_]slots)\b([^\n|`;&>]*)"
)
_REST = re.compile(r" -- |<\(|\$\(| # |  ")
"""What ends our part of a command line."""
_FLAG = re.compile(r"--[a-z][a-z-]+")


@cache
def flags() -> dict[str, set[str]]:
    """The long flags of every program and of each of its commands, by name."""
    parsers = {parser.prog: parser for parser in programs()}
    parsers |= {command.name: command.parser for command in commands()}
    return {
        name: {flag for action in parser._actions for flag in action.option_strings}
        for name, parser in parsers.items()
    }


@cache
def _begun() -> set[str]:
    """The names of all commands, and what they begin with: `slot-coordinator velero`."""
    words = [name.split() for name in flags()]
    return {" ".join(one[:count]) for one in words for count in range(1, len(one) + 1)}


def command_lines(text: str) -> list[tuple[str, list[str]]]:
    """Each command of ours in a text, by its longest name, and the flags that it is given."""
    found = []
    for program, rest in _LINE.findall(text.replace("\\\n", " ")):
        name = "kubectl node-slots" if program.startswith("kubectl") else program
        words = [word.strip('",[]') for word in _REST.split(rest + " ")[0].split()]
        words = [word for word in words if word]
        while words and f"{name} {words[0]}" in _begun():
            name = f"{name} {words.pop(0)}"
        found.append((name, [word.split("=")[0] for word in words if _FLAG.match(word)]))
    return found


def wrong_flags(text: str) -> list[str]:
    """Each flag of a command of ours in a text that this command does not take."""
    return [
        f"{name} {flag}"
        for name, given in command_lines(text)
        for flag in given
        if flag not in flags().get(name, set())
    ]


def make_targets() -> set[str]:
    """Every target of the Makefile."""
    text = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z0-9-]+):", text, re.MULTILINE))

"""How help is laid out: the words of a command first; the connection's options, which every
command has, are left out of the usage line.
"""

from __future__ import annotations

import argparse
from functools import cache
from typing import TYPE_CHECKING

from coordinator.kubectl.connect.options import add_options

if TYPE_CHECKING:
    from collections.abc import Iterable


class Help(argparse.RawDescriptionHelpFormatter):
    """argparse's own, with a usage line that fits on a screen."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        """Without what every command has."""
        own = [one for one in actions if one.dest not in _common() | {"help"}]
        super().add_usage(usage, own, groups, prefix)


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    common: argparse.ArgumentParser,
    name: str,
    told: str,
    description: str,
    examples: str = "",
) -> argparse.ArgumentParser:
    """A command's own parser with the options that all have; `told` is its line in the list."""
    return commands.add_parser(
        name,
        parents=[common],
        help=told,
        description=description,
        epilog=examples,
        formatter_class=Help,
    )


def object_name(text: str) -> str:
    """What may be the name of a Kubernetes object, for argparse."""
    if text in {"", ".", ".."} or "/" in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a Kubernetes object")
    return text


@cache
def _common() -> frozenset[str]:
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    return frozenset(one.dest for one in parser._actions)

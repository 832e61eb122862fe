"""The command line of `kubectl node-slots`: one parser, one module a command, imported late."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coordinator.kubectl import exits, nodes
from coordinator.kubectl.connect.options import add_options
from coordinator.kubectl.layout import Help

if TYPE_CHECKING:
    from collections.abc import Sequence

PROG = "kubectl node-slots"
DESCRIPTION = """\
Who has a node's slots, who waits, and why.

Without a command: every node in one line. The coordinator is reached by port-forward, with the
token of your own kubeconfig; your rights on Leases in the pool's namespace decide what you may see
and do. Where no coordinator answers, the Leases alone are shown.
"""
EXAMPLES = """\
examples:
  kubectl node-slots                                   # nodes: limit, held, waiting, oldest wait
  kubectl node-slots node worker-1                     # its slots, its queue, and why
  kubectl node-slots explain nightly-c6n2j             # why does this Pod wait, and how long yet?
  kubectl node-slots watch                             # live
  kubectl node-slots check -f limits.json              # what would these limits change?
  kubectl node-slots hold worker-1 --reason "new disk" # no new grants there, until unhold
  kubectl node-slots release worker-1-slot-0           # asks first
  kubectl node-slots dashboard                         # the page, in your browser

Options stand behind `node-slots`: kubectl takes none before a plugin's name.

"""
COMMANDS = (
    "nodes",
    "node",
    "explain",
    "watch",
    "release",
    "check",
    "hold",
    "dashboard",
    "about",
)
"""Modules with an `add_parser(commands, common)` of their own, in the order of the help."""


class _PrintCompletion(argparse.Action):
    """`--print-completion SHELL`."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        from coordinator.kubectl.completion import script

        print(script(parser, shell), end="")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code; ends the process itself on a wrong command line."""
    try:
        return _run(argv)
    except BrokenPipeError:  # `kubectl node-slots | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.PIPE_CLOSED


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = parser().parse_args(argv)
        code: int = arguments.run(arguments)
        return code
    finally:
        sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """The whole command line, without anything that a command needs to run."""
    common = argparse.ArgumentParser(add_help=False)
    add_options(common)
    whole = argparse.ArgumentParser(
        prog=PROG,
        description=DESCRIPTION,
        epilog=EXAMPLES + exits.TOLD,
        formatter_class=Help,
    )
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", prog=PROG)
    for name in COMMANDS:
        import_module(f"coordinator.kubectl.{name}").add_parser(commands, common)
    add_options(whole)
    nodes.add_options(whole)
    whole.add_argument(
        "--print-completion",
        default=argparse.SUPPRESS,
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print a completion script for `kubectl-node_slots` in this shell, and exit",
    )
    whole.set_defaults(run=nodes.run)
    return whole

"""The command `slot-agent`: one file a subcommand beside this one."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from agent_client.cli import hold, run, sidecar
from agent_client.cli.options import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = """\
Takes a slot of this node before a load starts, and gives it back after.

  slot-agent run -- kopia snapshot create /data    around one command
  slot-agent hold                                  for a whole Pod, as a native sidecar
  slot-agent sidecar                               for other programs, on a Unix socket
"""


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"slot-agent {version('node-slots')}")
        parser.exit()


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        import shtab

        print(shtab.complete(parser, shell))
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (those of the process by default); returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    split = words.index("--") if "--" in words else len(words)
    options = _parser().parse_args(words[:split])
    code: int = options.main(options, words[split + 1 :])
    return code


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog="slot-agent", description=ABOUT, formatter_class=kind)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print a completion script for this shell and exit",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run.add(commands)
    hold.add(commands)
    sidecar.add(commands)
    return parser

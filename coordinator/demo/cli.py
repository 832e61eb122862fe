"""The command line of the demo."""

from __future__ import annotations

import argparse
import math

from coordinator.demo.scenario import FULL_SECONDS

SHORTEST = 5.0
"""Seconds. Below this the loads of the first half have not ended when the limits change."""

DESCRIPTION = """\
Three nodes on an embedded, emulated Kubernetes API, the real coordinator, and real agents that
push more loads than there are slots. Half way the ConfigMap is edited, and the limits follow.

Nothing else is needed and nothing is left behind. In a second terminal, the kubectl lines that
are printed really work.
"""
EXAMPLES = """\
examples:
  slot-coordinator demo                # about 20 seconds, then a summary
  slot-coordinator demo --forever      # until Ctrl-C: time to try kubectl
  slot-coordinator demo --no-loads     # for docs/tutorial.md
  slot-coordinator demo | cat          # plain lines, as in a CI log

exit codes: 0 no node was ever above its limit and the edit was followed; 1 otherwise, or a
process died (the last lines say which); 130 ended by Ctrl-C
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command as `demo`; it sets `run`, a callable from the parsed arguments to int."""
    parser = commands.add_parser(
        "demo",
        help="see it work: the main job on an embedded API server, 20 seconds",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--seconds",
        type=_seconds,
        default=FULL_SECONDS,
        metavar="N",
        help=f"how long loads are run, {SHORTEST:g} or more (default 20)",
    )
    length.add_argument("--forever", action="store_true", help="run until Ctrl-C")
    length.add_argument(
        "--no-loads",
        action="store_true",
        help="only the cluster and the coordinator, until Ctrl-C, to run loads of your own",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=0,
        metavar="N",
        help="the port of the coordinator's API (default: a free one)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from coordinator.demo.run import run, run_bare

    if arguments.no_loads:
        return run_bare(arguments.port)
    return run(math.inf if arguments.forever else arguments.seconds, arguments.port)


def _seconds(text: str) -> float:
    value = float(text)
    if not SHORTEST <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not {SHORTEST:g} or more")
    return value


def _port(text: str) -> int:
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return value

"""The command line of `slot-coordinator observe`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from coordinator.velero.flags import duration

DEFAULT_NAMESPACE = "velero"
EVERY, LEAST = 2.0, 0.5
"""Seconds between two looks."""

DESCRIPTION = """\
Look at Velero's data movers on each node without touching anything: nothing is installed, and only
get and list are asked for, with your own kubeconfig and rights.

Shown for each node: its limit and the rule behind it, how many movers move data, how many are up
but idle (Velero's own limiter holds them), how many wait and for how long; nodes over their limit;
what is wrong or odd about the limits. Limits are those of the ConfigMap that the node-agent's own
flag names, or of --limits.

--record keeps what happens in a file, and --report says of such a file what would have been with
node-slots: waits, overlaps above the limit, idle slots while others waited. Velero's own records
keep their times, so even one look records the backups that are still there.
"""
EXAMPLES = """\
examples:
  slot-coordinator observe                            # one look at namespace velero
  slot-coordinator observe -n openshift-adp --watch   # every 2 s, until Ctrl-C
  slot-coordinator observe --limits limits.json       # how would these limits fit?
  slot-coordinator observe --limits cm/node-slots     # by a ConfigMap in the namespace
  slot-coordinator observe --record night.jsonl --for 12h
  slot-coordinator observe --report night.jsonl
  slot-coordinator observe --report night.jsonl --limits limits.json

A recording has names of nodes, backups and movers, the nodes' labels and the limits; no data and
no secrets. A second recording into the same file goes on where the first one ended.

rights: in the namespace list pods, deployments.apps, daemonsets.apps and Velero's four custom
resources, and get configmaps; in the cluster list nodes. What you may not see is said and left out.

exit codes: 0 looked, reported, or ended by Ctrl-C; 1 the API server did not answer; 2 wrong usage,
no credentials, or a file that cannot be read or written
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command as `observe`; it sets `run`, a callable from the arguments to int."""
    parser = commands.add_parser(
        "observe",
        help="look at Velero's data movers, node by node, without touching anything",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_where(parser)
    parser.add_argument(
        "--limits",
        metavar="FILE|cm/NAME",
        default="",
        help="judge by this file or ConfigMap instead of what the node-agents read",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument(
        "--watch",
        nargs="?",
        type=_every,
        const=EVERY,
        metavar="SECONDS",
        help=f"look again every so many seconds (default {EVERY:g})",
    )
    _add_recording(parser)
    parser.set_defaults(run=_run)


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-n",
        "--namespace",
        default=DEFAULT_NAMESPACE,
        metavar="NAME",
        help=f"Velero's namespace (default {DEFAULT_NAMESPACE})",
    )
    parser.add_argument(
        "--kubeconfig",
        default="",
        metavar="FILE",
        help="default: $KUBECONFIG, else the Pod's own, else ~/.kube/config",
    )
    parser.add_argument("--context", default="", metavar="NAME", help="of the kubeconfig")


def _add_recording(parser: argparse.ArgumentParser) -> None:
    files = parser.add_mutually_exclusive_group()
    files.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="watch, and append what changes to this file, as JSON lines",
    )
    files.add_argument(
        "--report", type=Path, metavar="FILE", help="say what a recording shows; asks no cluster"
    )
    parser.add_argument(
        "--for",
        dest="seconds",
        type=_length,
        metavar="TIME",
        help="stop watching or recording by itself after 30s, 10m, 12h; 0 is one look",
    )


def _run(arguments: argparse.Namespace) -> int:
    from coordinator.observe.run import report, run

    if arguments.report is not None:
        return report(arguments.report, arguments.limits, arguments.output)
    return run(arguments)


def _every(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not LEAST <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, {LEAST:g} or more")
    return seconds


def _length(text: str) -> float:
    seconds = duration(text)
    if seconds is None or seconds < 0:
        raise argparse.ArgumentTypeError(f"{text} is no length of time such as 30s, 10m or 12h")
    return seconds

"""`slot-coordinator velero check`: is this cluster's Velero ready to be governed?"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coordinator.velero.check_model import Own
    from coordinator.velero.world import World

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Say whether the data movers of the Velero in this cluster can be governed, and what to change first:
versions, ways of injection, Velero's own limit, how many movers it lets exist, and every timeout
that runs while a mover waits for a slot, held against the work that Velero has done lately.

Nothing is changed and nothing is installed: get, list and discovery only, with your own kubeconfig.
What you may not read is said. Each finding is ok, a note, a warning or an error, and what has to be
done comes as a command to copy. Run it before `velero install`, after it, and after an upgrade.
"""
EXAMPLES = """\
examples:
  slot-coordinator velero check
  slot-coordinator velero check -n backup --context production --strict
  slot-coordinator velero check -o json | jq '.findings[] | select(.level == "error")'

exit codes: 0 ready, or warnings without --strict; 1 not ready; 2 cannot be read, or wrong usage;
3 warnings with --strict
"""


def add_check(commands: Subparsers) -> None:
    """Mount the command as `check`; it sets `run`, a callable from the parsed arguments to int."""
    parser = commands.add_parser(
        "check",
        help="is this cluster's Velero ready to be governed?",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-n", "--namespace", default="velero", help="Velero's namespace. Default: %(default)s"
    )
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="as kubectl has it")
    parser.add_argument("--context", default="", metavar="NAME", help="as kubectl has it")
    parser.add_argument(
        "--name",
        default="node-slots",
        help="what the names of the installation begin with. Default: %(default)s",
    )
    parser.add_argument(
        "--configmap",
        default="",
        metavar="NAME",
        help="the ConfigMap of limits. Default: the one that the coordinator reads, else --name",
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    parser.add_argument("--strict", action="store_true", help="exit 3 when there are warnings")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from coordinator.kube.credentials import CredentialsError
    from coordinator.kube.errors import ApiError
    from coordinator.velero.check import UNREADABLE

    try:
        world, own = asyncio.run(_read(options))
    except (ApiError, CredentialsError, ValueError) as error:
        print(f"slot-coordinator velero check: {error}", file=sys.stderr)
        return UNREADABLE
    return show(world, own, options.output, strict=options.strict)


def show(world: World, own: Own, output: str, *, strict: bool) -> int:
    """Print the findings on stdout; what comes back is the exit code."""
    from rich.console import Console

    from coordinator.velero import check, check_output

    found = check.findings(world, own)
    code = check.exit_code(found, strict=strict)
    if output == "json":
        ready = code != check.NOT_READY
        print(json.dumps(check_output.report(world, found, ready=ready), indent=2))
    else:
        check_output.print_text(Console(), world, found, installed=bool(own.injected))
    return code


async def _read(options: argparse.Namespace) -> tuple[World, Own]:
    from coordinator.kube.client import KubeClient
    from coordinator.kube.credentials import load_access
    from coordinator.velero.check_reading import read_own
    from coordinator.velero.reading import read

    access = await load_access(options.kubeconfig, options.context)
    async with KubeClient(access) as client:
        world = await read(client, options.namespace, time.time())
        own = await read_own(client, options.namespace, options.name, options.configmap)
    return world, own

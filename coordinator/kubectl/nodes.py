"""`kubectl node-slots`, `kubectl node-slots nodes`: every node in one line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from coordinator.kubectl import printing
from coordinator.kubectl.exits import OK, WRONG
from coordinator.kubectl.layout import add_command
from coordinator.kubectl.status import HEADER, WIDE, busy, ordered, row
from coordinator.kubectl.table import count, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coordinator.kubectl.connect import Cluster

    Json = dict[str, Any]
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

WHOLE = 40
"""So many nodes are shown whatever they do; of more, the idle ones are only counted."""

DESCRIPTION = f"""\
Each node in one line: how many slots it has, how many are held, how many claims wait and how long
the first of them has, and which rule decides its limit. The longest waits come first.

STATUS is Free, Full, OverLimit (more is held than a lowered limit allows; nobody is evicted),
NoSlots, and Unknown where nothing tells the limit; OnHold where an operator stopped new grants,
Unresponsive where a holder is silent and cannot be shown to have ended.

In a pool of more than {WHOLE} nodes those where nothing is held, waits or is on hold are left out
of the table and counted on stderr. --all, names, and -o json|yaml|name show every one.

Where no coordinator answers, the Leases alone are shown, with a word on stderr of what is missing.
"""
EXAMPLES = """\
examples:
  kubectl node-slots                        # the pool of the context's namespace, else velero
  kubectl node-slots nodes worker-1 worker-2 -o wide
  kubectl node-slots -o json | jq -r '.nodes[] | select(.queued > 0) | .node'
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What this command has; it is also what runs when none is named."""
    printing.add_output(parser, *printing.TABLES)
    printing.add_configmap(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        default=argparse.SUPPRESS,
        help="in a large pool, the nodes too where nothing is going on",
    )


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `nodes`."""
    parser = add_command(
        commands,
        common,
        "nodes",
        "every node: limit, held, waiting, oldest wait, rule (the default)",
        DESCRIPTION,
        EXAMPLES,
    )
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="these only")
    add_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List the nodes. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _list)


async def _list(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.connect import Unreachable
    from coordinator.kubectl.session import say

    asked: list[str] = getattr(arguments, "nodes", [])
    try:
        found, source = await _asked(cluster, asked), "coordinator"
    except Unreachable as error:
        found, source = await _from_leases(arguments, cluster, error), "leases"
        found = [one for one in found if not asked or one["node"] in asked]
    _show(arguments, cluster.namespace, found, source, whole=bool(asked))
    missing = sorted(set(asked) - {one["node"] for one in found})
    for name in missing:
        say(f"node {name} is not known here")
    return WRONG if missing else OK


async def _asked(cluster: Cluster, names: Sequence[str]) -> list[Json]:
    from coordinator.kubectl.asking import Pool

    return await Pool(await cluster.coordinator(), cluster.namespace).nodes(*names)


async def _from_leases(
    arguments: argparse.Namespace, cluster: Cluster, error: Exception
) -> list[Json]:
    from coordinator.kubectl import leases

    seen = await leases.read(cluster.kube, cluster.namespace, printing.config_map_of(arguments))
    leases.warn(error, seen)
    return [one.summary() for one in seen.nodes]


def _show(
    arguments: argparse.Namespace, namespace: str, found: list[Json], source: str, *, whole: bool
) -> None:
    from coordinator.kubectl.session import say

    kind = printing.output_of(arguments)
    if kind in printing.DATA:
        printing.show_data({"namespace": namespace, "source": source, "nodes": found}, kind)
        return
    nodes = ordered(found)
    if kind == "name":
        printing.show(f"node/{one['node']}" for one in nodes)
        return
    whole = whole or getattr(arguments, "all", False) or len(nodes) <= WHOLE
    shown = [one for one in nodes if whole or busy(one)]
    wide = kind == "wide"
    rows = (row(one, wide=wide) for one in shown)
    printing.show(table(WIDE if wide else HEADER, rows, headers=printing.headers_of(arguments)))
    if left := len(nodes) - len(shown):
        idle = "nothing held" + (" and nobody waiting" if source == "coordinator" else "")
        say(f"{count(left, 'node')} with {idle} left out; --all shows them")
    elif not nodes:
        say(f"no nodes in the pool {namespace}")

"""`kubectl node-slots hold NODE --reason TEXT` and `unhold NODE`: by the user's own rights."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from coordinator.kubectl.exits import OK
from coordinator.kubectl.layout import add_command, object_name

if TYPE_CHECKING:
    from coordinator.kubectl.connect import Cluster

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

HOLD = """\
Stop new grants on a node, in every pool: its annotation nodeslots.io/hold gets the reason, which
everybody is told who waits there. Who holds a slot keeps it; what waits keeps its place.

This needs the right to patch nodes, and no coordinator: one that is away hears of it later.
"""
UNHOLD = """\
Let a node grant again: takes the annotation nodeslots.io/hold away.
"""
EXAMPLES = """\
examples:
  kubectl node-slots hold worker-1 --reason "new disk, jane, until 14:00"
  kubectl node-slots unhold worker-1
"""


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount `hold` and `unhold`."""
    hold = add_command(commands, common, "hold", "stop new grants on a node", HOLD, EXAMPLES)
    hold.add_argument("nodes", nargs="+", type=object_name, metavar="NODE")
    hold.add_argument("--reason", required=True, type=_reason, metavar="TEXT", help="told to all")
    hold.set_defaults(run=run)
    unhold = add_command(commands, common, "unhold", "let it grant again", UNHOLD, EXAMPLES)
    unhold.add_argument("nodes", nargs="+", type=object_name, metavar="NODE")
    unhold.set_defaults(run=run, reason=None)


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("say why: it is what everybody reads who waits there")
    return text


def run(arguments: argparse.Namespace) -> int:
    """Set or take away the annotation. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _annotate)


async def _annotate(arguments: argparse.Namespace, cluster: Cluster) -> int:
    reason: str | None = arguments.reason
    for name in arguments.nodes:
        await _patch(cluster, name, reason)
        print(f"node/{name} on hold: {reason}" if reason else f"node/{name} grants again")
    return OK


async def _patch(cluster: Cluster, name: str, reason: str | None) -> None:
    from coordinator.core.hold import HOLD as ANNOTATION
    from coordinator.kube.calls import resource_path
    from coordinator.kube.client import MERGE_PATCH

    change = {"metadata": {"annotations": {ANNOTATION: reason}}}
    await cluster.kube.request(
        "PATCH",
        resource_path("nodes", name=name),
        body=json.dumps(change).encode(),
        content_type=MERGE_PATCH,
    )

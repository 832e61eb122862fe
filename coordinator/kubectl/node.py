"""`kubectl node-slots node NODE`: one node in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kubectl import printing
from coordinator.kubectl.exits import OK, Stop
from coordinator.kubectl.layout import add_command

if TYPE_CHECKING:
    import argparse

    from coordinator.kubectl.connect import Cluster

    Json = dict[str, Any]
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
One node in full: its limit and every rule that had a say or had none, why it stands as it does and
when its next slot is likely to be granted; its slots with holder, Pod and age; its queue in order.

STATE is free, held, draining (held over a lowered limit), releasing, unresponsive (its agent is
silent and its Pod cannot be shown to have ended) or blocked (the Lease is not to be touched).

Where no coordinator answers, the slots are shown as their Leases tell them, without the queue.
"""
EXAMPLES = """\
examples:
  kubectl node-slots node worker-1
  kubectl node-slots node worker-1 -o json | jq '.slots[] | select(.state == "unresponsive")'
  kubectl node-slots node worker-1 -o name | xargs kubectl get -n velero    # its Leases
"""


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `node`."""
    parser = add_command(
        commands, common, "node", "one node: slots, queue, and why", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("node", metavar="NODE")
    printing.add_output(parser, *printing.DATA, "name")
    printing.add_configmap(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the node. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _node)


async def _node(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.connect import Unreachable

    try:
        node, claims = await read(cluster, arguments.node)
    except Unreachable as error:
        node, claims = await _from_leases(arguments, cluster, error), []
    if node is None:
        raise Stop(f"the cluster has no node {arguments.node}, or it is not seen yet")
    show_node(arguments, node, claims)
    return OK


async def read(cluster: Cluster, name: str) -> tuple[Json | None, list[Json]]:
    """The node and its claims, with how long each has waited. Raises `Unreachable`, `Refused`."""
    from coordinator.kubectl.asking import Pool
    from coordinator.kubectl.together import together

    pool = Pool(await cluster.coordinator(), cluster.namespace)
    node, claims = await together(pool.node(name), pool.claims(node=name))
    return node, claims


def show_node(arguments: argparse.Namespace, node: Json, claims: list[Json]) -> None:
    """Print the node as `-o` asks."""
    from coordinator.kubectl.describing import node_lines

    kind = printing.output_of(arguments)
    if kind in printing.DATA:
        printing.show_data(node, kind)
    elif kind == "name":
        printing.show(f"lease.coordination.k8s.io/{slot['lease']}" for slot in node["slots"])
    else:
        printing.show(node_lines(node, claims, headers=printing.headers_of(arguments)))


async def _from_leases(
    arguments: argparse.Namespace, cluster: Cluster, error: Exception
) -> Json | None:
    from coordinator.kubectl import leases

    seen = await leases.read(cluster.kube, cluster.namespace, printing.config_map_of(arguments))
    leases.warn(error, seen)
    found = seen.node(arguments.node)
    return found.full() if found else None

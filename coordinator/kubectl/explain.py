"""`kubectl node-slots explain CLAIM|POD|NODE`: why it stands as it does, in one sentence first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coordinator.kubectl import printing
from coordinator.kubectl.exits import OK, WRONG, Stop
from coordinator.kubectl.layout import add_command

if TYPE_CHECKING:
    import argparse

    from coordinator.kubectl.asking import Pool
    from coordinator.kubectl.connect import Cluster

    Json = dict[str, Any]
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Why a claim waits and when it is likely to be granted, or why a node stands as it does: one sentence
first, then what it is made of: the limit and the rule behind it, each holder with load, Pod and
age, who is ahead in the queue, and an estimate with its spread.

The name is a node's, else a claim's id, else a Pod's (NAME or NAMESPACE/NAME: the Pod in which the
load runs), else a load's, else a slot's Lease. Where it stands for several claims they are listed.

Only a coordinator knows who waits: without one this ends with 3.
"""
EXAMPLES = """\
examples:
  kubectl node-slots explain nightly-c6n2j          # a Pod, or a load
  kubectl node-slots explain velero/nightly-c6n2j
  kubectl node-slots explain worker-1
  kubectl node-slots explain nightly-c6n2j -o json | jq -r .why.code
"""
SEVERAL = ("CLAIM", "NODE", "STATE", "LOAD", "POD", "POSITION", "AGE")


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `explain`."""
    parser = add_command(
        commands,
        common,
        "explain",
        "why a claim, a Pod or a node waits, and how long yet",
        DESCRIPTION,
        EXAMPLES,
    )
    parser.add_argument("name", metavar="CLAIM|POD|NODE")
    printing.add_output(parser, *printing.DATA, "name")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _explain)


async def _explain(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.asking import Pool
    from coordinator.kubectl.finding import find

    pool = Pool(await cluster.coordinator(), cluster.namespace)
    found = await find(pool, arguments.name)
    if found.node:
        return await _node(arguments, cluster, found.node)
    if len(found.claims) > 1:
        return _several(arguments, list(found.claims))
    if not found.claims:
        raise Stop(_unknown(arguments.name, cluster.namespace))
    return await _claim(arguments, pool, found.claims[0])


def _unknown(name: str, namespace: str) -> str:
    return (
        f"nothing in the pool {namespace} is named {name}: no node, claim, Pod, load or Lease."
        " A Pod that takes no slot is not known here, nor a load that has ended"
    )


async def _node(arguments: argparse.Namespace, cluster: Cluster, name: str) -> int:
    from coordinator.kubectl.node import read, show_node

    node, claims = await read(cluster, name)
    if node is None:
        raise Stop(f"the node {name} has just left the cluster")
    if printing.output_of(arguments) == "name":
        printing.show([f"node/{name}"])
    else:
        show_node(arguments, node, claims)
    return OK


async def _claim(arguments: argparse.Namespace, pool: Pool, summary: Json) -> int:
    from coordinator.kubectl.why import claim_lines

    node, kind = str(summary["node"]), printing.output_of(arguments)
    told = await pool.claim(node, str(summary["claim"]))
    if told is None:
        raise Stop(f"the claim {summary['claim']} of {node} has just ended")
    whole = {**summary, **told}
    if kind in printing.DATA:
        printing.show_data(whole, kind)
    elif kind == "name":
        printing.show([f"claim/{summary['claim']}"])
    else:
        printing.show(claim_lines(node, whole, headers=printing.headers_of(arguments)))
    return OK


def _several(arguments: argparse.Namespace, claims: list[Json]) -> int:
    """More than one claim is no answer yet, so the code says that the question was not good."""
    from coordinator.kubectl.session import say
    from coordinator.kubectl.table import table

    kind = printing.output_of(arguments)
    if kind in printing.DATA:
        printing.show_data({"claims": claims}, kind)
    elif kind == "name":
        printing.show(f"claim/{one['claim']}" for one in claims)
    else:
        printing.show(table(SEVERAL, map(_row, claims), headers=printing.headers_of(arguments)))
    return say(f"{arguments.name} stands for {len(claims)} claims; explain one by its id", WRONG)


def _row(claim: Json) -> list[object]:
    from coordinator.kubectl.table import age

    seconds = claim.get("heldSeconds")
    waited = claim.get("waitedSeconds") if seconds is None else seconds
    names = ("claim", "node", "state", "load", "pod", "position")
    return [*(claim.get(name) for name in names), age(waited)]

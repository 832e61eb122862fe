"""`kubectl node-slots release LEASE`: take a slot from its holder, by a person's decision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from coordinator.kubectl.exits import OK, USAGE, Stop
from coordinator.kubectl.layout import add_command, object_name

if TYPE_CHECKING:
    import argparse

    from coordinator.core.model import Holder, Lease
    from coordinator.kubectl.connect import Cluster, Coordinator

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Free the slot of a Lease that somebody holds. Who holds it is shown, and you are asked; --yes takes
the answer as given. Without a terminal to ask on and without --yes this ends with 2.

The load is NOT stopped by this. Its agent hears that the slot is gone: `slot-agent run` then ends
the load, anything else may run on beside the next holder. Look at its Pod first.

Where a coordinator answers, it takes the slot back and the next one in the queue is granted at
once. Where none does, the Lease itself is deleted by your own right, if it is still the one that
you were shown; a coordinator hears of it as soon as it runs. Both need the right to delete Leases,
and the right to get them.
"""
EXAMPLES = """\
examples:
  kubectl node-slots release worker-1-slot-0
  kubectl node-slots release worker-1-slot-0 --yes
"""
CHANGED = "nothing was done: {} is not what it was when you looked"


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `release`."""
    parser = add_command(
        commands, common, "release", "free a slot by hand; asks first", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("lease", type=_lease, metavar="LEASE")
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")
    parser.set_defaults(run=run)


def _lease(text: str) -> str:
    """Also as `node -o name` prints it."""
    return object_name(text.removeprefix("lease.coordination.k8s.io/"))


def run(arguments: argparse.Namespace) -> int:
    """Ask, then free the slot. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _release)


async def _release(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kube.leases import LeaseStore
    from coordinator.kube.records import place_of

    name, store = arguments.lease, cluster.namespace
    lease = await LeaseStore(cluster.kube).read(store, name)
    if lease is None:
        raise Stop(f"namespace {store} has no Lease {name}; kubectl get leases -n {store} lists it")
    place = place_of(lease)
    if lease.foreign or place is None:
        raise Stop(f"the Lease {name} is no slot: {lease.foreign or 'it has no name of one'}")
    if lease.holder is None:
        print(f"{name} is free already")
        return OK
    coordinator, why = await _coordinator(cluster)
    next_ = await _next(cluster, coordinator, place[0])
    _tell(name, place[0], lease.holder, why, next_)
    _ask(name, yes=arguments.yes)
    if coordinator is not None:  # a delete of the Lease itself is conditional
        await _require_same(cluster, lease)
    return await _free(cluster, coordinator, place[0], lease)


async def _coordinator(cluster: Cluster) -> tuple[Coordinator | None, str]:
    """The coordinator, or None and why it is not there."""
    from coordinator.kubectl.connect import Unreachable

    try:
        return await cluster.coordinator(), ""
    except Unreachable as error:
        return None, str(error)


async def _next(cluster: Cluster, coordinator: Coordinator | None, node: str) -> str:
    """Whom the slot goes to, as far as one may know."""
    from coordinator.kubectl.asking import Pool
    from coordinator.kubectl.connect import Refused

    if coordinator is None:
        return "not known without a coordinator"
    try:
        waiting = await Pool(coordinator, cluster.namespace).claims(node=node, state="queued")
    except Refused:  # the right to free a slot is not the right to look
        return "not shown to you"
    present = [one for one in waiting if one.get("present")]
    if not present:
        return "nobody waits"
    first = present[0]
    return f"{first['load']} ({first.get('pod') or first['claim']}), the first of {len(present)}"


def _tell(name: str, node: str, holder: Holder, why: str, next_: str) -> None:
    """On stderr, like the question: stdout says what was done."""
    import time
    from datetime import UTC, datetime

    from coordinator.kube.microtime import elapsed
    from coordinator.kubectl.table import age, fields

    terms = holder.terms
    held = elapsed(holder.acquired, datetime.fromtimestamp(time.time(), UTC))
    facts = [
        ("Lease", name),
        ("Node", node),
        ("Load", terms.load),
        ("Pod", terms.pod or ""),
        ("Held for", age(held)),
        ("Claim", holder.claim),
        ("Next", next_),
        ("Way", f"the Lease is deleted; {why}" if why else "the coordinator takes it back"),
    ]
    print("\n".join(fields(facts)), file=sys.stderr)
    print(
        "The load is not stopped by this: unless it ends, it runs beside the next holder.",
        file=sys.stderr,
    )


def _ask(name: str, *, yes: bool) -> None:
    """Returns when it is meant. Raises Stop."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Stop(
            "nothing was done: there is no terminal to ask on; --yes says that it is meant", USAGE
        )
    print(f"Release {name}? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise Stop("nothing was done")


async def _require_same(cluster: Cluster, lease: Lease) -> None:
    """Who waits for an answer waits for long: by then the slot may be another one's. Raises Stop.

    The claim is what the coordinator is told to end, so nobody else's can end in what is left of
    the time between.
    """
    from coordinator.kube.leases import LeaseStore

    found = await LeaseStore(cluster.kube).read(cluster.namespace, lease.name)
    holders = [one.holder for one in (lease, found) if one and one.holder]
    if len({(one.claim, one.token) for one in holders}) != 1 or len(holders) != 2:
        raise Stop(CHANGED.format(lease.name))


async def _free(cluster: Cluster, coordinator: Coordinator | None, node: str, lease: Lease) -> int:
    from coordinator.kube import errors
    from coordinator.kube.leases import LeaseStore
    from coordinator.kubectl.asking import Pool

    if coordinator is not None and lease.holder is not None:
        await Pool(coordinator, cluster.namespace).release(node, lease.holder.claim)
        print(f"{lease.name} released by the coordinator")
        return OK
    try:
        await LeaseStore(cluster.kube).delete(cluster.namespace, lease)
    except errors.Conflict:
        raise Stop(CHANGED.format(lease.name)) from None
    except errors.NotFound:
        pass  # the same end
    print(f"{lease.name} released: its Lease was deleted")
    return OK

"""`kubectl node-slots watch`: the table redrawn on a terminal, a line for each event on a pipe."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from coordinator.kubectl.exits import OK
from coordinator.kubectl.layout import add_command
from coordinator.kubectl.printing import add_output, output_of

if TYPE_CHECKING:
    import argparse

    from coordinator.kubectl.asking import Pool
    from coordinator.kubectl.connect import Cluster, Event
    from coordinator.kubectl.live import Live

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Follow the pool. On a terminal: the nodes, as `kubectl node-slots` prints them, redrawn as they
change, with the last grants, hand-overs, releases, reclaims and changes of limits below. On a pipe:
a line for each of those; with -o json an object on each line.

A connection that is lost is made again by itself, and what happened meanwhile is told late where
the coordinator still knows it. Ctrl-C ends it with 0. Without a coordinator it ends with 3.
"""
EXAMPLES = """\
examples:
  kubectl node-slots watch
  kubectl node-slots watch worker-1 worker-2
  kubectl node-slots watch -o json | jq -c 'select(.event == "handover")'
"""

AGAIN = 1.0
"""Seconds until the nodes are asked for again, where nobody told them."""
SERVER_ERROR = 500


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `watch`."""
    parser = add_command(
        commands, common, "watch", "live: the nodes, and what happens", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("nodes", nargs="*", metavar="NODE", help="these only")
    add_output(parser, "json", headers=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Follow until Ctrl-C. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _watch, interrupted=OK)


async def _watch(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.asking import Pool

    pool = Pool(await cluster.coordinator(), cluster.namespace)
    kind, names = output_of(arguments), tuple(arguments.nodes)
    if not kind and _drawable():
        await _draw(pool, cluster.namespace, names)
    else:
        await _tell(pool, cluster.namespace, names, kind)
    return OK


async def _tell(pool: Pool, namespace: str, names: tuple[str, ...], kind: str) -> None:
    from coordinator.kubectl.session import say

    greeted = False
    async for event in pool.events(*names, summaries=False):
        if event.name != "hello":
            _print(event, kind)
        elif not greeted:  # each connection begins with one
            greeted = True
            say(f"following the pool {namespace}")


def _drawable() -> bool:
    import os

    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _print(event: Event, kind: str) -> None:
    """One line, written at once; what is said of the connection goes to stderr."""
    from coordinator.kubectl.news import line
    from coordinator.kubectl.session import say

    if event.name == "lost":
        say(f"the connection is lost: {event.data.get('why')}; trying again")
    elif event.name == "back":
        say("connected again")
    elif event.name == "reset":
        say("some events were missed")
    elif kind == "json":
        print(json.dumps({"event": event.name, **event.data}, ensure_ascii=False), flush=True)
    elif told := line(event.name, event.data):
        print(told, flush=True)


async def _draw(pool: Pool, namespace: str, names: tuple[str, ...]) -> None:
    from coordinator.kubectl.live import Live
    from coordinator.kubectl.screen import Screen

    live = Live(namespace)
    live.replace(await pool.nodes(*names), time.monotonic())
    async with Screen(live):
        async for event in pool.events(*names, summaries=True):
            await _take(live, pool, names, event.name, event.data)


async def _take(live: Live, pool: Pool, names: tuple[str, ...], name: str, data: Any) -> None:
    """Put an event into the picture; what may have been missed is read anew."""
    if not live.take(name, data, time.monotonic()):
        return
    import asyncio

    from coordinator.kubectl.connect import Refused, Unreachable

    while True:
        try:
            live.replace(await pool.nodes(*names), time.monotonic())
        except Unreachable as error:
            live.lost = str(error)
        except Refused as error:
            if error.status < SERVER_ERROR:
                raise
            live.lost = str(error)  # who led when the stream began may lead no longer
        else:
            live.lost = ""
            return
        await asyncio.sleep(AGAIN)

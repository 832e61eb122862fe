"""`slot-agent sidecar`: its options, and what they make of the service."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from agent_client.cli.options import (
    Parser,
    add_outage,
    add_ttl,
    add_where,
    client_of,
    complain,
    seconds,
)

if TYPE_CHECKING:
    from agent_client.messages import Pod
    from agent_client.sidecar.addresses import Address, HostPort
    from agent_client.sidecar.service import Plan, Sidecar, Stop
    from agent_client.speaking import Speaker
    from agent_client.transport import HttpTransport

INTERNAL, CANNOT_LISTEN = 70, 73
SOCKET = "/run/node-slots/agent.sock"

ABOUT = f"""\
Serves slots of this node to the other containers of its Pod, in any language, over HTTP on a
Unix socket. It knows the node, the coordinator and the credentials; it renews, and it survives
restarts, the coordinator's and its own.

A slot is held while the connection is open:
  curl -N --unix-socket {SOCKET} -d '{{"load": "backup-7/pvc-3"}}' \\
    http://localhost/v1/slots

For loads that outlive a connection, one that is there until it is deleted:
  curl --unix-socket {SOCKET} -X PUT 'http://localhost/v1/slots/mover-3?wait=50'
  curl --unix-socket {SOCKET} -X DELETE http://localhost/v1/slots/mover-3

What is held and waited for:
  curl --unix-socket {SOCKET} http://localhost/v1/slots
"""

NOTES = f"""\
examples:
  slot-agent sidecar
  slot-agent sidecar --listen /run/node-slots/agent.sock --mode 0660 --health-listen 0.0.0.0:8081
  slot-agent sidecar --listen 127.0.0.1:8082    not under hostNetwork: the whole node reaches it

SIGTERM: takes no more loads, keeps what is held for --drain-seconds, and ends. A second one: at
once. Nothing held is released by that; the coordinator looks whether the loads' Pods are over.

exit codes:
    0  ended by SIGTERM or SIGINT
   64  wrong usage, or a setting is missing
   70  internal error
   {CANNOT_LISTEN}  cannot listen; the message says why
"""


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `sidecar` to the command line."""
    parser = commands.add_parser(
        "sidecar",
        help="serve slots to the other containers of a Pod",
        usage="slot-agent sidecar [options]",
        description=ABOUT,
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser, main=main)
    _add_listening(parser)
    _add_named(parser)
    add_ttl(parser)
    add_outage(parser)
    add_where(parser)


def _add_listening(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen",
        default=f"unix:{SOCKET}",
        metavar="WHERE",
        help=f"unix:PATH, PATH, or HOST:PORT of the loopback (default unix:{SOCKET})",
    )
    parser.add_argument(
        "--mode", default="0600", metavar="OCTAL", help="rights of the socket (default 0600)"
    )
    parser.add_argument(
        "--health-listen",
        metavar="HOST:PORT",
        help="serve /livez, /readyz and /metrics there, too, for probes and scrapers",
    )


def _add_named(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--name",
        default="sidecar",
        help="begins its claim ids; two sidecars of one node and pool need two (default sidecar)",
    )
    parser.add_argument(
        "--adopt-seconds",
        type=seconds,
        default=600.0,
        metavar="S",
        help="after a restart: let go what no client has asked for by then (default 600)",
    )
    parser.add_argument(
        "--drain-seconds",
        type=seconds,
        default=25.0,
        metavar="S",
        help="after SIGTERM: wait so long for what is held (default 25)",
    )


def main(options: argparse.Namespace, command: list[str]) -> int:
    """Serve until SIGTERM; returns the exit code."""
    import asyncio
    import logging

    from agent_client.cores import leave_no_core
    from agent_client.http.server import ListenError

    if command:
        options.parser.error("sidecar runs no command; that is: slot-agent run -- CMD")
    leave_no_core()
    logging.basicConfig(format="slot-agent: %(message)s", level=logging.WARNING)
    try:
        return asyncio.run(_serve(options))
    except ListenError as error:
        complain(str(error))
        return CANNOT_LISTEN
    except Exception:
        logging.getLogger("agent_client").exception("internal error")
        return INTERNAL


async def _serve(options: argparse.Namespace) -> int:
    from agent_client.http.server import Server

    address, health, mode = _addresses(options)
    sidecar, client = _sidecar(options)
    stop = _signalled()  # before anybody can know that we are there
    async with Server(sidecar.routes) as server, Server(sidecar.health) as watched:
        told = await address.listen(server, mode)
        if health is not None:
            told += f", health at {await health.listen(watched, mode)}"
        complain(f"sidecar of node {client.settings.node} listens at {told}")
        await sidecar.run(stop)
    return 0


def _signalled() -> Stop:
    """Asked to stop by SIGTERM and SIGINT."""
    import asyncio
    import signal

    from agent_client.sidecar.service import Stop

    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.ask)
    return stop


def _addresses(options: argparse.Namespace) -> tuple[Address, HostPort | None, int]:
    """Where to listen, and the socket's rights. Anything wrong ends the process and is named."""
    from agent_client.sidecar.addresses import any_address, local_address, rights

    try:
        health = any_address(options.health_listen) if options.health_listen else None
        return local_address(options.listen), health, rights(options.mode)
    except ValueError as error:
        raise SystemExit(options.parser.error(str(error))) from error


def _sidecar(options: argparse.Namespace) -> tuple[Sidecar, Speaker]:
    import random
    from typing import cast

    from agent_client.clock import boottime
    from agent_client.settings import agent_name
    from agent_client.sidecar.service import Sidecar

    # Without the process id: a restarted container is the same agent with a new boot.
    client = client_of(options, agent_name(options.name))
    plan = _plan(options, client.settings.pod)
    get = cast("HttpTransport", client.transport).get
    return Sidecar(client, get, plan, clock=boottime, jitter=random.random), client


def _plan(options: argparse.Namespace, pod: Pod | None) -> Plan:
    """What the flags say, `pod` being the sidecar's own.

    A value out of range ends the process and is named.
    """
    from agent_client.sidecar.ids import NAME
    from agent_client.sidecar.requests import TTLS, Defaults
    from agent_client.sidecar.service import Plan

    if NAME.fullmatch(options.name) is None:
        options.parser.error("--name has 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter")
    if not TTLS[0] <= options.ttl <= TTLS[1]:
        options.parser.error(f"--ttl is from {TTLS[0]} to {TTLS[1]} seconds")
    defaults = Defaults(options.ttl, options.if_unavailable, options.unavailable_after, pod)
    return Plan(options.name, defaults, options.adopt_seconds, options.drain_seconds)

"""`kubectl node-slots dashboard`: the page in the browser, with the user's own token behind it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from coordinator.kubectl.exits import OK
from coordinator.kubectl.layout import add_command

if TYPE_CHECKING:
    from coordinator.kubectl.connect import Cluster

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
Open the coordinator's page in your browser. A small server on this machine's loopback address
passes on what the page asks, by port-forward and with your token; the browser never has the token.
The address that is printed lets one browser in, once, and within a minute. Ctrl-C ends it, with 0.
"""
EXAMPLES = """\
examples:
  kubectl node-slots dashboard
  kubectl node-slots dashboard --no-open --port 8787    # over ssh -L 8787:127.0.0.1:8787
"""


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `dashboard`."""
    parser = add_command(
        commands, common, "dashboard", "the page, in your browser", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("--port", type=_port, default=0, help="default: any free one")
    parser.add_argument("--no-open", action="store_true", help="print the address only")
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C. Returns the exit code."""
    from coordinator.kubectl import session

    return session.run(arguments, _serve, interrupted=OK)


async def _serve(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.connect import serve_dashboard

    await serve_dashboard(cluster, port=arguments.port, browse=not arguments.no_open)
    return OK

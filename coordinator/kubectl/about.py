"""`kubectl node-slots version`: the plugin's, and that of the coordinator that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coordinator.kubectl.exits import OK
from coordinator.kubectl.layout import add_command
from coordinator.kubectl.printing import DATA, add_output, output_of, show, show_data

if TYPE_CHECKING:
    import argparse

    from coordinator.kubectl.connect import Cluster

    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
The plugin's version, and the coordinator's with who leads. A coordinator serves plugins and agents
two minor versions older and newer. Where none answers, that is said, and this still ends with 0.
"""


def add_parser(commands: Parsers, common: argparse.ArgumentParser) -> None:
    """Mount the command as `version`."""
    parser = add_command(
        commands, common, "version", "the plugin's version and the coordinator's", DESCRIPTION
    )
    parser.add_argument("--client", action="store_true", help="the plugin's only; asks nobody")
    add_output(parser, *DATA, headers=False)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the versions. Returns the exit code."""
    if arguments.client:
        _show({"plugin": _own()}, output_of(arguments))
        return OK
    from coordinator.kubectl import session

    return session.run(arguments, _versions)


async def _versions(arguments: argparse.Namespace, cluster: Cluster) -> int:
    from coordinator.kubectl.connect import Unreachable
    from coordinator.kubectl.session import say

    told = {"plugin": _own()}
    try:
        await cluster.coordinator()
    except Unreachable as error:
        say(f"no coordinator answered: {error}")
    else:
        leader = cluster.status.get("leader") or {}
        told["coordinator"] = str(cluster.status.get("version") or "")
        told["leader"] = str(leader.get("identity") or cluster.status.get("answeredBy") or "")
    _show(told, output_of(arguments))
    return OK


def _own() -> str:
    from importlib.metadata import version

    return version("node-slots")


def _show(told: dict[str, str], kind: str) -> None:
    from coordinator.kubectl.table import fields

    if kind in DATA:
        show_data(told, kind)
    else:
        show(fields((name.capitalize(), value) for name, value in told.items()))

"""What the subcommands of `slot-agent` have in common: options, and what they make of them."""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from agent_client.client import SlotClient
    from agent_client.messages import Pod

USAGE = 64


class Parser(argparse.ArgumentParser):
    """Ends with the exit code that the documentation promises for a wrong usage."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with 64."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")

    def _get_formatter(self) -> argparse.HelpFormatter:
        """As argparse, which would import shutil, and with it bz2 and lzma, to learn the width."""
        return self.formatter_class(prog=self.prog, width=max(_columns(), 40) - 2)  # type: ignore[call-arg]


def _columns() -> int:
    """The terminal's width, as `shutil.get_terminal_size` finds it."""
    told = os.environ.get("COLUMNS", "")
    try:
        return int(told) if told.isdigit() else os.get_terminal_size().columns
    except (OSError, ValueError):
        return 80


def add_terms(parser: argparse.ArgumentParser) -> None:
    """What the claim asks for, and how long it waits."""
    add_priority(parser)
    parser.add_argument(
        "--timeout", type=seconds, metavar="S", help="wait at most S seconds (default: for ever)"
    )
    add_ttl(parser)


def add_priority(parser: argparse.ArgumentParser) -> None:
    """Who goes first."""
    parser.add_argument(
        "--priority", type=int, default=0, metavar="N", help="higher goes first (default 0)"
    )


def add_ttl(parser: argparse.ArgumentParser) -> None:
    """How long a silent agent keeps its slot."""
    parser.add_argument(
        "--ttl",
        type=int,
        default=60,
        metavar="S",
        help="seconds of silence after which the slot is freed, 10 to 3600 (default 60)",
    )


def add_outage(parser: argparse.ArgumentParser) -> None:
    """What to do when no coordinator answers."""
    outage = parser.add_argument_group("when no coordinator answers")
    outage.add_argument(
        "--if-unavailable",
        choices=("wait", "run", "fail"),
        default="wait",
        help="wait on (default), run the load without a slot, or fail",
    )
    outage.add_argument(
        "--unavailable-after",
        type=seconds,
        default=30.0,
        metavar="S",
        help="seconds without an answer before that (default 30)",
    )


def add_where(parser: argparse.ArgumentParser) -> None:
    """Where the coordinator is, and who asks."""
    where = parser.add_argument_group("where and who (flag, or environment variable)")
    for flag, metavar, text in (
        ("--url", "URL", "the coordinator: NODE_SLOTS_URL"),
        ("--namespace", "NS", "the pool: NODE_SLOTS_NAMESPACE"),
        ("--node", "NODE", "the node: NODE_SLOTS_NODE or NODE_NAME"),
        ("--token-file", "FILE", "a bearer token, read anew each time: NODE_SLOTS_TOKEN_FILE"),
        ("--ca-file", "FILE", "what signed the coordinator's certificate: NODE_SLOTS_CA_FILE"),
        ("--pod-namespace", "NS", "the Pod in which the load runs: POD_NAMESPACE"),
        ("--pod-name", "NAME", "the same: POD_NAME"),
        ("--pod-uid", "UID", "the same: POD_UID"),
        ("--agent", "NAME", "this process, for the coordinator (default: Pod or host, and pid)"),
    ):
        where.add_argument(flag, metavar=metavar, help=text)


def seconds(text: str) -> float:
    """A finite number of seconds, not negative. Raises `ValueError`."""
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(text)
    return value


seconds.__name__ = "number of seconds"  # argparse names the type in its message


def client_of(options: argparse.Namespace, agent: str | None = None) -> SlotClient:
    """The client that the options describe, as `agent` where they name none.

    A missing setting ends the process with the usage and the setting's name.
    """
    from agent_client.client import SlotClient
    from agent_client.errors import SettingsError

    try:
        return SlotClient(
            options.url,
            namespace=options.namespace,
            node=options.node,
            pod=pod_of(options),
            agent=options.agent or agent,
            token_file=options.token_file,
            ca_file=options.ca_file,
        )
    except SettingsError as error:
        raise SystemExit(options.parser.error(str(error))) from error


def pod_of(options: argparse.Namespace) -> Pod | None:
    """The Pod of the flags, the environment filling gaps; None leaves all of it to that."""
    from agent_client.messages import Pod

    if not (options.pod_name or options.pod_namespace or options.pod_uid):
        return None
    name: str = options.pod_name or os.environ.get("POD_NAME", "")
    namespace: str = options.pod_namespace or os.environ.get("POD_NAMESPACE", "")
    if not (name and namespace):
        options.parser.error("a Pod needs both --pod-namespace and --pod-name")
    return Pod(namespace, name, options.pod_uid or os.environ.get("POD_UID", ""))


def complain(line: str) -> None:
    """A line for people, on standard error."""
    print(f"slot-agent: {line}", file=sys.stderr, flush=True)

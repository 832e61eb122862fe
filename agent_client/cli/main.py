"""The command `slot-agent`."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent_client.asking import Asking
    from agent_client.client import SlotClient
    from agent_client.messages import Pod

USAGE = 64

ABOUT = """\
Takes a slot of this node before a load starts, and gives it back after.

  slot-agent run --load backup-7/pvc-3 -- kopia snapshot create /data
"""

RUN_ABOUT = """\
Waits for a slot, runs CMD while holding it, gives it back, and exits as CMD did.

examples:
  slot-agent run --load backup-7/pvc-3 -- kopia snapshot create /data
  slot-agent run --load nightly-scan --priority -5 --timeout 600 -- ./scan.sh
  slot-agent run --load restore-2 --if-unavailable run --unavailable-after 60 -- ./restore
"""

RUN_NOTES = """\
environment of CMD:
  SLOT_NODE  SLOT_ORDINAL  SLOT_LEASE  SLOT_FENCING_TOKEN  SLOT_CLAIM  SLOT_LOAD
  SLOT_NAMESPACE  SLOT_GOVERNED (false: running without a slot; then there is no ordinal,
  Lease and token)

exit codes:
  CMD's own, or 128+N when signal N ended it (or ended the waiting)
   64  wrong usage, or a setting is missing
   70  internal error
   74  the slot was lost, CMD was ended
   75  no slot: the timeout passed, or no coordinator answered (--if-unavailable fail)
   76  the coordinator refused the claim
  126  CMD cannot be executed
  127  CMD was not found
"""


class _Parser(argparse.ArgumentParser):
    """Ends with the exit code that the documentation promises for a wrong usage."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"slot-agent {version('node-slots')}")
        parser.exit()


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        import shtab

        print(shtab.complete(parser, shell))
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (those of the process by default); returns its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    split = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:split])
    command = words[split + 1 :]
    if not command:
        options.parser.error("no command: put it after --, as in: slot-agent run --load X -- CMD")
    if options.strict and options.if_unavailable == "run":
        options.parser.error("--strict and --if-unavailable run contradict each other")
    return _run(options, command)


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="slot-agent", description=ABOUT, formatter_class=kind)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    parser.add_argument(
        "--print-completion",
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print a completion script for this shell and exit",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser(
        "run",
        help="run a command while holding a slot",
        usage="slot-agent run --load NAME [options] -- CMD [ARG ...]",
        description=RUN_ABOUT,
        epilog=RUN_NOTES,
        formatter_class=kind,
    )
    run.set_defaults(parser=run)
    _add_load(run)
    _add_outage(run)
    _add_where(run)
    return parser


def _add_load(run: argparse.ArgumentParser) -> None:
    run.add_argument("--load", required=True, metavar="NAME", help="the load's name")
    run.add_argument(
        "--priority", type=int, default=0, metavar="N", help="higher goes first (default 0)"
    )
    run.add_argument(
        "--timeout", type=_seconds, metavar="S", help="wait at most S seconds (default: for ever)"
    )
    run.add_argument(
        "--ttl",
        type=int,
        default=60,
        metavar="S",
        help="seconds of silence after which the slot is freed, 10 to 3600 (default 60)",
    )
    run.add_argument(
        "--claim",
        metavar="ID",
        help="the claim's id (default: a random one); the same id gets the same slot back",
    )
    run.add_argument(
        "--grace",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="on a lost slot: seconds between TERM and KILL for CMD (default 10)",
    )
    run.add_argument(
        "--strict",
        action="store_true",
        help="end CMD also when the slot cannot be confirmed in time, not only when it is lost",
    )
    run.add_argument("--quiet", action="store_true", help="say nothing while waiting")


def _add_outage(run: argparse.ArgumentParser) -> None:
    outage = run.add_argument_group("when no coordinator answers")
    outage.add_argument(
        "--if-unavailable",
        choices=("wait", "run", "fail"),
        default="wait",
        help="wait on (default), run CMD without a slot, or fail with exit code 75",
    )
    outage.add_argument(
        "--unavailable-after",
        type=_seconds,
        default=30.0,
        metavar="S",
        help="seconds without an answer before that (default 30)",
    )


def _add_where(run: argparse.ArgumentParser) -> None:
    where = run.add_argument_group("where and who (flag, or environment variable)")
    for flag, metavar, text in (
        ("--url", "URL", "the coordinator: NODE_SLOTS_URL"),
        ("--namespace", "NS", "the pool: NODE_SLOTS_NAMESPACE"),
        ("--node", "NODE", "the node: NODE_SLOTS_NODE or NODE_NAME"),
        ("--token-file", "FILE", "a bearer token, read anew each time: NODE_SLOTS_TOKEN_FILE"),
        ("--ca-file", "FILE", "what signed the coordinator's certificate: NODE_SLOTS_CA_FILE"),
        ("--pod-namespace", "NS", "the Pod in which CMD runs: POD_NAMESPACE"),
        ("--pod-name", "NAME", "the same: POD_NAME"),
        ("--pod-uid", "UID", "the same: POD_UID"),
        ("--agent", "NAME", "this process, for the coordinator (default: Pod or host, and pid)"),
    ):
        where.add_argument(flag, metavar=metavar, help=text)


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(text)
    return value


_seconds.__name__ = "number of seconds"  # argparse names the type in its message


def _run(options: argparse.Namespace, command: list[str]) -> int:
    import asyncio
    import logging

    from agent_client.wrapper import Exit, Run

    logging.basicConfig(format="slot-agent: %(message)s", level=logging.WARNING)
    client = _client(options)
    run = Run(
        command,
        say=_ignore if options.quiet else _complain,
        complain=_complain,
        strict=options.strict,
        grace=options.grace,
    )
    try:
        return asyncio.run(run.under(client, options.load, _asking(options)))
    except Exception:
        logging.getLogger("agent_client").exception("internal error")
        return Exit.INTERNAL


def _client(options: argparse.Namespace) -> SlotClient:
    from agent_client.client import SlotClient
    from agent_client.errors import SettingsError

    try:
        return SlotClient(
            options.url,
            namespace=options.namespace,
            node=options.node,
            pod=_pod(options),
            agent=options.agent,
            token_file=options.token_file,
            ca_file=options.ca_file,
        )
    except SettingsError as error:
        raise SystemExit(options.parser.error(str(error))) from error


def _asking(options: argparse.Namespace) -> Asking:
    return {
        "priority": options.priority,
        "timeout": options.timeout,
        "ttl": options.ttl,
        "claim": options.claim,
        "if_unavailable": options.if_unavailable,
        "unavailable_after": options.unavailable_after,
    }


def _pod(options: argparse.Namespace) -> Pod | None:
    """The Pod of the flags, the environment filling gaps; None leaves all of it to that."""
    import os

    from agent_client.messages import Pod

    if not (options.pod_name or options.pod_namespace or options.pod_uid):
        return None
    name: str = options.pod_name or os.environ.get("POD_NAME", "")
    namespace: str = options.pod_namespace or os.environ.get("POD_NAMESPACE", "")
    if not (name and namespace):
        options.parser.error("a Pod needs both --pod-namespace and --pod-name")
    return Pod(namespace, name, options.pod_uid or os.environ.get("POD_UID", ""))


def _complain(line: str) -> None:
    print(f"slot-agent: {line}", file=sys.stderr, flush=True)


def _ignore(_: str) -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())

"""`slot-agent run`: its options, and what they make of the wrapper."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from agent_client.cli.options import (
    Parser,
    add_outage,
    add_terms,
    add_where,
    client_of,
    seconds,
)

if TYPE_CHECKING:
    from agent_client.asking import Asking
    from agent_client.wrapper.telling import Teller

ABOUT = """\
Waits for a slot, runs CMD while holding it, gives it back, and exits as CMD did.

examples:
  slot-agent run -- kopia snapshot create /data
  slot-agent run --load nightly-scan --priority -5 --timeout 600 -- ./scan.sh
  slot-agent run --try -- ./tidy || [ $? -eq 75 ]     only when a slot is free
  slot-agent run --load restore-2 --if-unavailable run --unavailable-after 60 -- ./restore
"""

NOTES = """\
environment of CMD:
  SLOT_NODE  SLOT_ORDINAL  SLOT_LEASE  SLOT_FENCING_TOKEN  SLOT_CLAIM  SLOT_LOAD
  SLOT_NAMESPACE  SLOT_GOVERNED (false: running without a slot; then there is no ordinal,
  Lease and token)

signals: TERM INT HUP QUIT USR1 USR2 WINCH TSTP CONT go to CMD's process group; the first
  six leave the queue while it waits. At a terminal CMD is in the foreground: ctrl-C and
  ctrl-Z are its own. If this process is killed (KILL), CMD gets TERM.

exit codes:
  CMD's own, or 128+N when signal N ended it (or ended the waiting)
   64  wrong usage, or a setting is missing
   70  internal error
   74  the slot was lost, CMD was ended
   75  no slot: the timeout passed, none was free (--try), or no coordinator answered
       (--if-unavailable fail)
   76  the coordinator refused the claim
  126  CMD cannot be executed
  127  CMD was not found
"""


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `run` to the command line."""
    parser = commands.add_parser(
        "run",
        help="run a command while holding a slot",
        usage="slot-agent run [options] -- CMD [ARG ...]",
        description=ABOUT,
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser, main=main)
    parser.add_argument("--load", metavar="NAME", help="the load's name (default: CMD's name)")
    parser.add_argument(
        "--try",
        dest="at_once",
        action="store_true",
        help="do not wait: exit with 75 when no slot is free",
    )
    add_terms(parser)
    _add_own(parser)
    _add_telling(parser)
    add_outage(parser)
    add_where(parser)


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--claim",
        metavar="ID",
        help="the claim's id (default: a random one); the same id gets the same slot back",
    )
    parser.add_argument(
        "--on-lost",
        choices=("terminate", "warn"),
        default="terminate",
        help="on a lost slot: end CMD (default), or say so and let it run",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="end CMD also when the slot cannot be confirmed in time, not only when it is lost",
    )
    parser.add_argument(
        "--grace",
        type=seconds,
        default=10.0,
        metavar="S",
        help="seconds between TERM and KILL for CMD and all of its process group (default 10)",
    )


def _add_telling(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="say nothing while waiting")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object an event on standard error"
    )


def main(options: argparse.Namespace, command: list[str]) -> int:
    """Run `command` under a slot; returns the exit code."""
    _check(options, command)
    try:
        return _run(options, command)
    except KeyboardInterrupt:  # ctrl-C before the first request, or after the last
        from agent_client.wrapper.exits import die_of_interrupt

        return die_of_interrupt(group=False)


def _run(options: argparse.Namespace, command: list[str]) -> int:
    import asyncio

    from agent_client.wrapper.alarm import Rules
    from agent_client.wrapper.command import load_of
    from agent_client.wrapper.exits import Exit, die_of_interrupt
    from agent_client.wrapper.run import Run

    load = options.load or load_of(command[0])
    client = client_of(options)
    teller = _teller(options, load, client.settings.node)
    _pass_on_warnings(teller)
    run = Run(command, teller, Rules(options.on_lost, options.strict, options.grace))
    try:
        code = asyncio.run(run.under(client, load, _asking(options)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the exit code tells of it
        _tell_traceback(teller, error)
        return Exit.INTERNAL
    if run.interrupted is not None:
        return die_of_interrupt(group=run.interrupted)
    return code


def _check(options: argparse.Namespace, command: list[str]) -> None:
    if not command:
        options.parser.error("no command: put it after --, as in: slot-agent run -- CMD")
    contradictions = (
        ("--strict and --if-unavailable run", options.strict and options.if_unavailable == "run"),
        ("--strict and --on-lost warn", options.strict and options.on_lost == "warn"),
        ("--try and --timeout", options.at_once and options.timeout is not None),
        ("--quiet and --json", options.quiet and options.json),
    )
    for names, given in contradictions:
        if given:
            options.parser.error(f"{names} contradict each other")


def _asking(options: argparse.Namespace) -> Asking:
    return {
        "priority": options.priority,
        "timeout": 0.0 if options.at_once else options.timeout,
        "ttl": options.ttl,
        "claim": options.claim,
        "if_unavailable": options.if_unavailable,
        "unavailable_after": options.unavailable_after,
    }


def _teller(options: argparse.Namespace, load: str, node: str) -> Teller:
    """Who tells what happens, as the options and standard error want it."""
    from agent_client.clock import boottime
    from agent_client.wrapper.line import Line
    from agent_client.wrapper.stderr import Stderr
    from agent_client.wrapper.telling import Json, Plain

    stderr, began = Stderr(), boottime()

    def waited() -> float:
        return boottime() - began

    if options.json:
        return Json(stderr.write_line, waited, load=load, node=node)
    if stderr.updates and not options.quiet:
        return Line(stderr, waited)
    return Plain(stderr.write_line, waited, quiet=options.quiet)


def _pass_on_warnings(teller: Teller) -> None:
    """What the client logs goes the same way as everything else that people have to know."""
    import logging

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            teller.trouble("warning", self.format(record))

    logging.basicConfig(format="%(message)s", handlers=[Told()], level=logging.WARNING)


def _tell_traceback(teller: Teller, error: Exception) -> None:
    import traceback

    text = "".join(traceback.format_exception(error))
    teller.trouble("error", f"internal error: {error}\n{text}".rstrip())

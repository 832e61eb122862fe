"""`slot-agent hold`: its options, and what they make of the native sidecar."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from agent_client.cli.options import Parser, add_outage, add_priority, add_ttl, add_where, complain

if TYPE_CHECKING:
    from pathlib import Path

    from agent_client.hold.desk import Desk
    from agent_client.messages import Terms
    from agent_client.settings import Settings

INTERNAL, UNWRITABLE = 70, 73
FOLDER = "/run/node-slots"

ABOUT = """\
Holds a slot for the Pod that it runs in: as a native sidecar, an init container with
`restartPolicy: Always` and a startup probe that reads the FIFO `gate`. The Pod's own
containers start when the slot is there, and need not know of it. When they are done, the kubelet
ends hold, and the slot is free. Ready-made YAML: deploy/examples/.

examples:
  slot-agent hold                                        the load has the Pod's name
  slot-agent hold --load nightly-scan --priority -5
  slot-agent hold --claim "$POD_UID"                     the claim's id is the Pod's uid
  kubectl exec POD -c hold -- slot-agent hold --status   what it waits for, or holds
"""

NOTES = f"""\
files in --state-dir:
  gate       a FIFO: reading a byte of it takes until the Pod's own containers may start
  granted    empty; there exactly while they may
  hold.json  how it stands, for programs

exit codes:
    0  told to end by SIGTERM, within a second of it; --status: a slot is held
    1  --status only: no slot is held, or nobody is sure of it
    3  --status only: no hold runs here
   64  wrong usage, or a setting is missing
   70  internal error
   {UNWRITABLE}  --state-dir cannot be written to
   75  no coordinator answered (--if-unavailable fail)
   76  the coordinator refused the claim
"""

ONCE = """\
--once cannot be: an ordinary init container has ended before the Pod's own containers start, so
nobody would hold the slot while they run, and nobody would renew it. Make hold a native sidecar:
give its init container `restartPolicy: Always` and a startup probe (see deploy/examples/), and
leave --once out."""


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add `hold` to the command line."""
    parser = commands.add_parser(
        "hold",
        help="hold a slot for this Pod, as its native sidecar",
        usage="slot-agent hold [--load NAME] [options]",
        description=ABOUT,
        epilog=NOTES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(parser=parser, main=main)
    parser.add_argument("--load", metavar="NAME", help="the load's name (default: the Pod's)")
    parser.add_argument(
        "--claim",
        metavar="ID",
        help="the claim's id, not two in a cluster (default: made of the Pod's uid and the load)",
    )
    add_priority(parser)
    add_ttl(parser)
    _add_own(parser)
    add_outage(parser)
    add_where(parser)


def _add_own(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state-dir",
        default=FOLDER,
        metavar="DIR",
        help=f"a folder for its two files, an emptyDir as a rule (default {FOLDER})",
    )
    parser.add_argument(
        "--status", action="store_true", help="tell how the hold of this Pod stands, and exit"
    )
    parser.add_argument(
        "--json", action="store_true", help="tell in JSON, one line each time, on standard output"
    )
    parser.add_argument("--once", action="store_true", help="refused; the message says why")


def main(options: argparse.Namespace, command: list[str]) -> int:
    """Hold a slot until SIGTERM, or tell the status; returns the exit code."""
    from pathlib import Path

    if command:
        options.parser.error("hold runs no command; that is: slot-agent run -- CMD")
    if options.once:
        options.parser.error(ONCE)
    folder = Path(options.state_dir)
    return _status(folder, raw=options.json) if options.status else _hold(options, folder)


def _status(folder: Path, *, raw: bool) -> int:
    from agent_client.clock import boottime
    from agent_client.hold.status import status

    code, text = status(folder, boottime(), raw=raw)
    print(text)
    return code


def _hold(options: argparse.Namespace, folder: Path) -> int:
    from agent_client.cores import leave_no_core
    from agent_client.hold.pulse import hold_signals_back

    hold_signals_back()
    leave_no_core()
    from agent_client.hold.files import Unwritable

    settings, terms = _asked(options)
    try:
        desk = _desk(folder, in_json=options.json)
    except Unwritable as error:
        complain(str(error))
        return UNWRITABLE
    return _run(settings, terms, options, desk)


def _run(settings: Settings, terms: Terms, options: argparse.Namespace, desk: Desk) -> int:
    from agent_client.hold.service import Hold
    from agent_client.session import Patience

    patience = Patience(
        if_unavailable=options.if_unavailable, unavailable_after=options.unavailable_after
    )
    try:
        return Hold(settings, terms, patience, desk).run()
    except Exception:  # noqa: BLE001 - the log of a container has to say what ended it
        import traceback

        complain(f"internal error\n{traceback.format_exc()}")
        return INTERNAL


def _asked(options: argparse.Namespace) -> tuple[Settings, Terms]:
    """Where to ask, and for what. A missing setting ends the process and is named."""
    from agent_client.errors import SettingsError
    from agent_client.hold.identity import identity
    from agent_client.messages import Pod, Terms
    from agent_client.settings import Settings

    environ = _environ(options)
    try:
        who = identity(environ, options.load, options.claim)
        pod = Pod(who.namespace, who.pod, who.uid)
        settings = Settings.resolve(
            url=options.url,
            namespace=options.namespace,
            node=environ["NODE_NAME"],
            pod=pod,
            agent=options.agent or who.agent,
            token_file=options.token_file,
            ca_file=options.ca_file,
        )
    except SettingsError as error:
        raise SystemExit(options.parser.error(str(error))) from error
    return settings, Terms(who.claim, who.load, options.priority, options.ttl, pod)


def _environ(options: argparse.Namespace) -> dict[str, str]:
    """The environment, with the flags that go before it."""
    import os

    flags = {
        "POD_NAMESPACE": options.pod_namespace,
        "POD_NAME": options.pod_name,
        "POD_UID": options.pod_uid,
        "NODE_NAME": options.node or os.environ.get("NODE_SLOTS_NODE"),
    }
    return {**os.environ, **{name: value for name, value in flags.items() if value}}


def _desk(folder: Path, *, in_json: bool) -> Desk:
    import json

    from agent_client.hold.desk import Desk
    from agent_client.hold.files import Files

    def publish(record: dict[str, object]) -> None:
        print(json.dumps(record), flush=True)

    if in_json:
        return Desk(Files(folder), lambda line: publish({"message": line}), publish)
    return Desk(Files(folder), complain)

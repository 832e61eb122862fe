"""`slot-coordinator velero install`: the YAML that governs an unmodified Velero, or undoes that."""

from __future__ import annotations

import argparse
import shlex
import sys

PRINTED, WRONG_USAGE = 0, 2
"""Exit codes."""

DESCRIPTION = """\
Print the YAML that puts a slot in front of each of Velero's data movers: the coordinator, its
limits, and the rule by which mover Pods get `slot-agent hold` as a native sidecar when they are
made. It changes nothing by itself, and nothing of Velero: its head says what to set there.
"""
EXAMPLES = """\
examples:
  # Kubernetes 1.36 and newer: two movers on each node; read it first
  slot-coordinator velero install --print --global-limit 2 | less
  slot-coordinator velero install --print --global-limit 2 | kubectl apply --server-side -f -

  # older clusters: the coordinator itself answers as a webhook
  slot-coordinator velero install --print --injection webhook --limits limits.json \\
    --image registry.example.org/node-slots:0.1.0 | kubectl apply --server-side -f -

  # one slot of each node that only restores may have; movers may wait for a day
  slot-coordinator velero install --print --global-limit 3 --restore-headroom 1 \\
    --prepare-timeout 24h | kubectl apply --server-side -f -

  # back out, with the same options; its head says in which steps
  slot-coordinator velero install --undo --print --global-limit 2 | less

exit codes: 0 printed; 2 wrong options, or no --print
"""
NO_PRINT = """\
slot-coordinator velero install: this changes nothing by itself. Say --print to get the YAML, and
give that to kubectl:
  {command} --print | kubectl {verb} -f -
"""


def add_install(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command as `install`; it sets `run`, a callable from the arguments to int."""
    from coordinator.install import arguments

    parser = commands.add_parser(
        "install",
        help="print the YAML that governs Velero, or with --undo what takes that away",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_what(parser)
    arguments.add_workload(parser)
    arguments.add_limits(parser)
    _add_velero(parser)
    arguments.add_flag(parser)
    arguments.add_with(parser)
    parser.set_defaults(run=_run)


def _add_what(parser: argparse.ArgumentParser) -> None:
    from coordinator.install.defaults import NAME, NAMESPACE
    from coordinator.velero.install import INJECTIONS, POLICY

    parser.add_argument("--print", dest="printing", action="store_true", help="print the YAML")
    parser.add_argument(
        "--undo", action="store_true", help="print what takes it away, for `kubectl delete -f -`"
    )
    parser.add_argument(
        "--namespace",
        default=NAMESPACE,
        help="Velero's, which is the coordinator's, too; it has to exist. Default: %(default)s",
    )
    parser.add_argument(
        "--name",
        default=NAME,
        help="what the names of all objects begin with. A second Velero needs another one, or it"
        " takes the injection away from the first. Default: %(default)s",
    )
    told = "; ".join(f"{name}: {what}" for name, what in INJECTIONS.items())
    parser.add_argument(
        "--injection",
        choices=tuple(INJECTIONS),
        default=POLICY,
        help=f"how mover Pods get the sidecar. {told}. Default: %(default)s",
    )


def _add_velero(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--restore-headroom",
        type=int,
        default=0,
        metavar="NUMBER",
        help="slots of each node that only restores may have; one is always left for the rest",
    )
    parser.add_argument(
        "--prepare-timeout",
        type=_seconds,
        default="12h",
        metavar="DURATION",
        help="how long movers may wait, as Velero writes it (30m, 12h) or in seconds: what"
        " --data-mover-prepare-timeout of its node-agent is to be. Default: %(default)s",
    )
    parser.add_argument(
        "--url",
        type=_url,
        help="where the sidecars reach the coordinator, when that is not its Service; --flag=--tls-"
        "name=HOST puts the name into its certificate",
    )


def _seconds(text: str) -> float:
    """A duration as Go writes it, or a number of seconds; at least one."""
    from coordinator.velero.flags import duration

    seconds = float(text) if text.isascii() and text.isdecimal() else duration(text)
    if seconds is None or seconds < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 30m, 12h or 3600")
    return seconds


def _url(text: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.netloc or parts.path.strip("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is not https://HOST:PORT")
    return text.rstrip("/")


def _run(told: argparse.Namespace) -> int:
    from coordinator.install.options import OptionsError

    command = shlex.join(["slot-coordinator", *sys.argv[1:]])
    if not told.printing:
        verb = "delete --ignore-not-found" if told.undo else "apply --server-side"
        sys.stderr.write(NO_PRINT.format(command=command, verb=verb))
        return WRONG_USAGE
    try:
        sys.stdout.write(_text(told, command))
    except OptionsError as error:
        sys.stderr.write(f"slot-coordinator velero install: {error}\n")
        return WRONG_USAGE
    return PRINTED


def _text(told: argparse.Namespace, command: str) -> str:
    from coordinator.install.text import rendered
    from coordinator.velero import install_text
    from coordinator.velero.install import Governing

    governing = Governing(
        namespace=told.namespace,
        name=told.name,
        injection=told.injection,
        image=told.image,
        replicas=told.replicas,
        url=told.url or "",
        restore_headroom=told.restore_headroom,
        prepare_timeout=told.prepare_timeout,
        limit=told.global_limit,
        limits=told.limits,
        extras=frozenset(told.extras),
        flags=tuple(told.flag),
    )
    for warning in governing.warnings:
        sys.stderr.write(f"slot-coordinator velero install: {warning}\n")
    if told.undo:
        return rendered(install_text.to_undo(governing, command), governing.undone())
    return rendered(install_text.to_install(governing, command), governing.installed())

"""`slot-coordinator`: the command line."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # argparse has no public name

DESCRIPTION = """\
Hands out per-node slots for heavy work (backups, restores, image pulls, scans) as Kubernetes
Leases. The limits come from a ConfigMap as Velero's node-agent reads it; agents ask over HTTP.
"""
EXAMPLES = """\
examples:
  slot-coordinator serve --namespace velero --node-agent-configmap node-slots
  slot-coordinator check --config limits.json
  slot-coordinator install --print --limits limits.json | kubectl apply --server-side -f -
  slot-coordinator serve --help
"""
SERVE = """\
Serve one or more pools: each is a namespace, with one ConfigMap of limits.

Every setting is a flag and an environment variable (in brackets); the flag wins.

SECURITY: every caller shows a token that the API server's TokenReview accepts, over TLS. A Pod may
claim on its own node only, in the pool of its namespace or of --clients. People and tools may do
what `kubectl auth can-i list|get|delete leases.coordination.k8s.io -n POOL` says. With --auth none,
which works on loopback addresses only, any user of this machine can take, free and see any slot.
"""
SERVE_EXAMPLES = """\
examples:
  # on a laptop, against the current kubectl context, over plain HTTP on 127.0.0.1
  slot-coordinator serve --namespace velero --node-agent-configmap node-slots --tls off \
      --log-format console

  # who holds and who waits (queries need no special client; the account may list Leases there)
  curl -s -H "Authorization: Bearer $(kubectl create token -n velero ACCOUNT)" \
      http://127.0.0.1:8443/v1/namespaces/velero/nodes/node1

  # two pools with limits of their own; Pods of `batch` may claim in the second, up to priority 5
  slot-coordinator serve --pool velero/node-slots --pool scans/scan-limits --clients scans/batch:5

  # in a cluster: let `slot-coordinator install --print` write the manifests

exit codes: 0 ended by SIGTERM or SIGINT (held slots stay held); 1 could not start, or a fault;
2 wrong flags or settings
"""
WRONG_USAGE = 2
PIPE_CLOSED = 128 + 13
"""As a shell tells the end by SIGPIPE."""

_MOUNTED = (
    "coordinator.check",
    "coordinator.install.command",
    "coordinator.observe.command",
    "coordinator.velero.command",
    "coordinator.demo",
)
"""Modules with an `add_parser(subparsers)` of their own."""


class _PrintCompletion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: Any, *__: object) -> None:
        import shtab

        print(shtab.complete(parser, shell))
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit code; ends the process itself on a wrong command line."""
    try:
        return _run(argv)
    except BrokenPipeError:  # `slot-coordinator check ... | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        code: int = arguments.run(arguments)
        return code
    finally:
        sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slot-coordinator",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = version("node-slots")
    parser.add_argument("--version", action="version", version=known)
    parser.add_argument(
        "--print-completion",
        default=argparse.SUPPRESS,
        action=_PrintCompletion,
        choices=("bash", "zsh", "tcsh"),
        help="print a completion script for this shell and exit",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    for name in _MOUNTED:
        if mount := getattr(import_module(name), "add_parser", None):
            mount(commands)
    commands.add_parser("version", help="print the version").set_defaults(
        run=lambda _arguments: _print(known)
    )
    return parser


def _add_serve(commands: Subparsers) -> None:
    from coordinator.flags import add_flags

    parser = commands.add_parser(
        "serve",
        help="serve one or more pools",
        description=SERVE,
        epilog=SERVE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_flags(parser)
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from coordinator import flags, logs
    from coordinator.settings import SettingsError

    given = {name: value for name, value in vars(arguments).items() if name != "run"}
    try:
        chosen = flags.load(given)
    except SettingsError as error:
        print(f"slot-coordinator serve: {error}", file=sys.stderr)
        return WRONG_USAGE
    logs.configure(chosen.log_format, chosen.log_level)
    from coordinator.run import serve

    return serve(chosen)


def _print(text: str) -> int:
    print(text)
    return 0

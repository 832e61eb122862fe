"""`slot-coordinator install`: the plain YAML for those who use neither kustomize nor Helm."""

from __future__ import annotations

import argparse
import shlex
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from coordinator.install import arguments

if TYPE_CHECKING:
    from coordinator.install.files import Object
    from coordinator.install.options import Options

PRINTED, WRONG_USAGE = 0, 2
"""Exit codes."""

DESCRIPTION = """\
Print the YAML that installs the coordinator: account and rights, certificate and its authority
(both empty; the coordinator fills them in), Service and Deployment. It changes nothing by itself;
`kubectl apply --server-side -f -` does, so that you can read, keep and compare it first.

The same objects as `kubectl apply --server-side -k deploy/overlays/velero` and the Helm chart make.
"""
EXAMPLES = """\
examples:
  # beside Velero, two slots on every node; read it first
  slot-coordinator install --print --global-limit 2 | less
  slot-coordinator install --print --global-limit 2 | kubectl apply --server-side -f -

  # what would change in the cluster
  slot-coordinator install --print | kubectl diff --server-side -f -

  # limits of your own, an image from your registry, Jobs of namespace `scans` admitted up to
  # priority 0
  slot-coordinator install --print --limits limits.json --client scans:0 \\
    --image registry.example.org/node-slots:0.1.0 | kubectl apply --server-side -f -

  # a second pool with its own limits, a share of the API server, metrics and alerts
  slot-coordinator install --print --pool scans/scan-limits --with flow-schema \\
    --with service-monitor --with alerts | kubectl apply --server-side -f -

  # no node holds more than 4 slots of all pools together
  slot-coordinator install --print --pool scans/scan-limits --flag=--node-cap=4 | less

  # back out; docs/operations.md tells what else. Without --create-namespace: the namespace would
  # go, with all that is in it
  slot-coordinator install --print | kubectl delete -f -

exit codes: 0 printed; 2 wrong options, or no --print
"""
NO_PRINT = """\
slot-coordinator install: this changes nothing by itself. Say --print to get the YAML, and give that
to kubectl:
  {command} --print | kubectl apply --server-side -f -
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command as `install`; it sets `run`, a callable from the arguments to int."""
    parser = commands.add_parser(
        "install",
        help="print the YAML that installs the coordinator",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_place(parser)
    _add_pools(parser)
    arguments.add_flag(parser)
    arguments.add_with(parser)
    parser.set_defaults(run=_run)


def _add_place(parser: argparse.ArgumentParser) -> None:
    from coordinator.install.defaults import NAME, NAMESPACE

    parser.add_argument("--print", dest="printing", action="store_true", help="print the YAML")
    parser.add_argument(
        "--namespace",
        default=NAMESPACE,
        help="the coordinator's namespace and its first pool's. Default: %(default)s",
    )
    parser.add_argument(
        "--create-namespace", action="store_true", help="make that namespace too; others must exist"
    )
    parser.add_argument(
        "--name",
        default=NAME,
        help="what the names of all objects begin with; another one for a second installation."
        " Default: %(default)s",
    )
    arguments.add_workload(parser)


def _add_pools(parser: argparse.ArgumentParser) -> None:
    from coordinator.install.defaults import NAME

    parser.add_argument(
        "--configmap",
        default=NAME,
        metavar="NAME",
        help="the first pool's ConfigMap of limits. Default: %(default)s",
    )
    arguments.add_limits(parser)
    parser.add_argument(
        "--pool",
        action="append",
        default=[],
        metavar="NAMESPACE/CONFIGMAP",
        help="one more pool; may be repeated",
    )
    parser.add_argument(
        "--client",
        action="append",
        default=[],
        metavar="[POOL/]NAMESPACE[:MAX_PRIORITY]",
        help="a namespace whose Pods may claim too; may be repeated",
    )


def _run(told: argparse.Namespace) -> int:
    from coordinator.install.options import OptionsError

    if not told.printing:
        sys.stderr.write(NO_PRINT.format(command=_command()))
        return WRONG_USAGE
    try:
        sys.stdout.write(_text(told))
    except OptionsError as error:
        sys.stderr.write(f"slot-coordinator install: {error}\n")
        return WRONG_USAGE
    return PRINTED


def _command() -> str:
    return shlex.join(["slot-coordinator", *sys.argv[1:]])


def _text(told: argparse.Namespace) -> str:
    from coordinator.install.objects import objects
    from coordinator.install.options import Options
    from coordinator.install.text import rendered

    options = Options(
        namespace=told.namespace,
        name=told.name,
        config_map=told.configmap,
        pools=tuple(told.pool),
        clients=tuple(told.client),
        image=told.image,
        replicas=told.replicas,
        extras=frozenset(told.extras),
        flags=tuple(told.flag),
    )
    first = [*_namespace(told), *_limits(told, options)]
    return rendered(_head(options, first), [*first, *objects(options)])


def _namespace(told: argparse.Namespace) -> list[Object]:
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": told.namespace}}
    return [made] if told.create_namespace else []


def _limits(told: argparse.Namespace, options: Options) -> list[Object]:
    from coordinator.install import limits

    found, warnings = limits.asked_for(options, told.global_limit, told.limits)
    for warning in warnings:
        sys.stderr.write(f"slot-coordinator install: {told.limits}: {warning}\n")
    return found


def _head(options: Options, first: list[Object]) -> list[str]:
    """What the reader should know of this text before it is applied."""
    made = [one["kind"] for one in first]
    namespaces = options.namespaces[1 if "Namespace" in made else 0 :]
    limits = [f"{namespace}/{name}" for namespace, name in options.settings.pools]
    awaited = limits[1 if "ConfigMap" in made else 0 :]
    return [
        f"node-slots {version('node-slots')}: the coordinator in namespace {options.namespace}.",
        f"Made by: {_command()}",
        "",
        *([f"Namespaces that must exist: {', '.join(namespaces)}"] if namespaces else []),
        *([f"Limits are read from: ConfigMap {', '.join(awaited)}"] if awaited else []),
        f"Agents' URL: https://{options.name}.{options.namespace}.svc:8443",
        f"Agents' authority: ConfigMap {options.name}-ca, key ca.crt, in their own namespace",
        "",
        "No secret is in here. Applied again, it leaves certificates, Leases and places alone.",
    ]

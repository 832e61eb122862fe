"""`slot-coordinator install`: the plain YAML for those who use neither kustomize nor Helm."""

from __future__ import annotations

import argparse
import shlex
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

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
WITH = {
    "priority-class": "goes before ordinary Pods when a node is full",
    "network-policy": "only pools, clients and `monitoring` reach it",
    "flow-schema": "a share of the API server of its own",
    "admission-policy": "it can write its own Leases only (Kubernetes 1.30)",
    "tls-mounted": "your certificate, in the Secret NAME-certificate",
    "cert-manager": "the same, made by cert-manager",
    "service-monitor": "metrics for the Prometheus operator",
    "alerts": "alerts for the Prometheus operator",
    "dashboard": "a dashboard for Grafana's sidecar",
}
"""The keys of `files.EXTRAS`, as they are told."""


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
    told = "; ".join(f"{name}: {what}" for name, what in WITH.items())
    parser.add_argument(
        "--with",
        dest="extras",
        action="append",
        default=[],
        choices=tuple(WITH),
        metavar="COMPONENT",
        help=f"add one of these; may be repeated. {told}",
    )
    parser.set_defaults(run=_run)


def _add_place(parser: argparse.ArgumentParser) -> None:
    from coordinator.install.defaults import IMAGE, NAME, NAMESPACE

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
    parser.add_argument("--image", default=IMAGE, help="Default: %(default)s")
    parser.add_argument(
        "--replicas", type=int, default=2, metavar="NUMBER", help="Default: %(default)s"
    )


def _add_pools(parser: argparse.ArgumentParser) -> None:
    from coordinator.install.defaults import NAME

    parser.add_argument(
        "--configmap",
        default=NAME,
        metavar="NAME",
        help="the first pool's ConfigMap of limits. Default: %(default)s",
    )
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument(
        "--limits", metavar="FILE", help="make that ConfigMap, from a file that `check` accepts"
    )
    limits.add_argument(
        "--global-limit", type=int, metavar="NUMBER", help="make it, with one limit for every node"
    )
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
    parser.add_argument(
        "--flag",
        action="append",
        default=[],
        metavar="FLAG",
        help="one more flag of `serve`, as --flag=--node-cap=4; may be repeated",
    )


def _run(arguments: argparse.Namespace) -> int:
    from coordinator.install.options import OptionsError

    if not arguments.printing:
        sys.stderr.write(NO_PRINT.format(command=_command()))
        return WRONG_USAGE
    try:
        sys.stdout.write(_text(arguments))
    except OptionsError as error:
        sys.stderr.write(f"slot-coordinator install: {error}\n")
        return WRONG_USAGE
    return PRINTED


def _command() -> str:
    return shlex.join(["slot-coordinator", *sys.argv[1:]])


def _text(arguments: argparse.Namespace) -> str:
    from coordinator.install.objects import objects
    from coordinator.install.options import Options
    from coordinator.install.text import rendered

    options = Options(
        namespace=arguments.namespace,
        name=arguments.name,
        config_map=arguments.configmap,
        pools=tuple(arguments.pool),
        clients=tuple(arguments.client),
        image=arguments.image,
        replicas=arguments.replicas,
        extras=frozenset(arguments.extras),
        flags=tuple(arguments.flag),
    )
    first = [*_namespace(arguments), *_limits(arguments, options)]
    return rendered(_head(options, first), [*first, *objects(options)])


def _namespace(arguments: argparse.Namespace) -> list[Object]:
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": arguments.namespace}}
    return [made] if arguments.create_namespace else []


def _limits(arguments: argparse.Namespace, options: Options) -> list[Object]:
    from coordinator.install import limits

    if arguments.global_limit is not None:
        return [limits.config_map(options, limits.global_limit(arguments.global_limit))]
    if arguments.limits is None:
        return []
    data = limits.from_file(arguments.limits)
    for warning in limits.warnings(data):
        sys.stderr.write(f"slot-coordinator install: {arguments.limits}: {warning}\n")
    return [limits.config_map(options, data)]


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

"""How to get to the cluster and its coordinator: what the user may say, on every command."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, fields

TIMEOUT = 10.0
"""Seconds for one request, the way to the coordinator included."""
NAMESPACE, SERVICE = "velero", "node-slots"
"""Where the manifests put it."""


@dataclass(frozen=True)
class Options:
    """Where to go and as whom; empty means the default that the option's help names."""

    kubeconfig: str = ""
    context: str = ""
    namespace: str = ""
    """The pool's."""
    coordinator_namespace: str = ""
    """Where the coordinator runs, if not in the pool's namespace."""
    service: str = SERVICE
    server: str = ""
    """A URL: the coordinator is asked there, and nothing is forwarded."""
    token_file: str = ""
    service_account: str = ""
    """NAME or NAMESPACE/NAME: the coordinator is shown a token made for it."""
    ca_file: str = ""
    timeout: float = TIMEOUT


def add_options(parser: argparse._ActionsContainer) -> None:
    """The options of the connection, which every command has. `options_of` reads them."""
    cluster = parser.add_argument_group("the cluster")
    _add(cluster, "--kubeconfig", "FILE", "default: $KUBECONFIG, else ~/.kube/config")
    _add(cluster, "--context", "NAME", "of the kubeconfig; default: the current one")
    _add(
        cluster,
        "--namespace",
        "NAME",
        f"the pool's; default: the context's namespace, else {NAMESPACE}",
        "-n",
    )
    _add_coordinator(parser.add_argument_group("the coordinator"))


def _add_coordinator(group: argparse._ArgumentGroup) -> None:
    _add(
        group,
        "--coordinator-namespace",
        "NAME",
        "where the coordinator runs; default: the pool's namespace",
    )
    _add(
        group,
        "--service",
        "NAME",
        f"its Service; default: {SERVICE}. Its Pods are reached by port-forward, which takes the"
        " rights to get this Service, list pods, and get and create pods/portforward",
    )
    _add(
        group,
        "--server",
        "URL",
        "ask here instead, without port-forward; http:// on loopback only, and such a server is"
        " shown no token but that of --token-file",
    )
    _add(
        group,
        "--token-file",
        "FILE",
        "show the coordinator this token; default: the kubeconfig's own (token, tokenFile, exec)",
    )
    _add(
        group,
        "--as-account",
        "[NAMESPACE/]NAME",
        "show it a token of this service account, made for an hour with your right to create"
        " serviceaccounts/token: for a kubeconfig with a client certificate, which has no token",
        dest="service_account",
    )
    _add(
        group,
        "--ca-file",
        "FILE",
        "the authority of its certificate; default: ConfigMap SERVICE-ca of the pool's namespace",
    )
    group.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        default=argparse.SUPPRESS,
        help=f"for one request; default: {TIMEOUT:g}",
    )


def _add(
    group: argparse._ArgumentGroup,
    flag: str,
    metavar: str,
    told: str,
    *short: str,
    dest: str | None = None,
) -> None:
    # Suppressed defaults: given before the command's name, they are not undone by the command's.
    group.add_argument(
        *short,
        flag,
        metavar=metavar,
        help=told,
        default=argparse.SUPPRESS,
        dest=dest or flag[2:].replace("-", "_"),
    )


def options_of(arguments: argparse.Namespace) -> Options:
    """What the command line said."""
    names = [one.name for one in fields(Options)]
    return Options(**{name: getattr(arguments, name) for name in names if name in arguments})


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.1 <= seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds between 0.1 and 600")
    return seconds

"""Options that the commands have in common which print what is to be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

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


def add_workload(parser: argparse.ArgumentParser) -> None:
    """--image and --replicas."""
    from coordinator.install.defaults import IMAGE

    parser.add_argument("--image", default=IMAGE, help="Default: %(default)s")
    parser.add_argument(
        "--replicas", type=int, default=2, metavar="NUMBER", help="Default: %(default)s"
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """--limits or --global-limit."""
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument(
        "--limits",
        metavar="FILE",
        help="make the ConfigMap of limits, from a file that `check` accepts",
    )
    limits.add_argument(
        "--global-limit", type=int, metavar="NUMBER", help="make it, with one limit for every node"
    )


def add_flag(parser: argparse.ArgumentParser) -> None:
    """--flag."""
    parser.add_argument(
        "--flag",
        action="append",
        default=[],
        metavar="FLAG",
        help="one more flag of `serve`, as --flag=--node-cap=4; may be repeated",
    )


def add_with(parser: argparse.ArgumentParser) -> None:
    """--with."""
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

"""`slot-coordinator velero`: check a cluster's Velero, and put its movers under node-slots."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from coordinator.velero.check_command import add_check
from coordinator.velero.install_command import add_install

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

DESCRIPTION = """\
An unmodified Velero (1.15 and newer) whose data movers hold a slot while they run: nothing of
Velero is changed, its mover Pods get `slot-agent hold` as a native sidecar when they are made.

In this order: `slot-coordinator observe` looks without touching, `velero check` says what is to be
set first, `velero install --print` prints everything, and `--undo` what takes it away again.
"""
EXAMPLES = """\
examples:
  slot-coordinator velero check
  slot-coordinator velero install --print --global-limit 2 | kubectl apply --server-side -f -
  slot-coordinator velero install --undo --print | kubectl delete --ignore-not-found -f -
"""


def add_parser(commands: Subparsers) -> None:
    """Mount the group as `velero`."""
    parser = commands.add_parser(
        "velero",
        help="govern the data movers of an unmodified Velero",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_check(group)
    add_install(group)

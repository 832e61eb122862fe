"""A cluster where loads run already: nodes with labels, and Leases that name a holder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.bench import fleet
from tests.bench.held import hold

if TYPE_CHECKING:
    from tests.bench.rig import Rig

TTL = 3600
"""Seconds: nobody renews, and nobody is to be judged while something else is measured."""


def occupy(rig: Rig, nodes: int, slots: int) -> None:
    """Make the nodes, and on each of them so many slots with a holder."""
    rig.bulk(
        ("api/v1/nodes", {"metadata": {"name": f"n{number}", "labels": fleet.labels(number)}})
        for number in range(nodes)
    )
    hold(rig, (f"n{number}" for number in range(nodes)), slots, TTL)


def limits(more: int) -> str:
    """The ConfigMap's text: a hundred rules, each number so much larger than `fleet` has it."""
    rules = [rule | {"number": rule["number"] + more} for rule in fleet.rules()]
    return json.dumps({"loadConcurrency": {"globalConfig": 10 + more, "perNodeConfig": rules}})

"""docs/api.md tells of every route, problem and metric, and of no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from coordinator.api.problems import KINDS
from coordinator.api.routes import ADMISSION, API, HEALTH
from tests.api.test_health import samples

if TYPE_CHECKING:
    from coordinator.service.metrics import Metrics
    from tests.api.conftest import Caller

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def test_the_reference_names_every_route() -> None:
    for route in (*API, *ADMISSION, *HEALTH):
        assert route.path in TEXT


def test_the_reference_lists_every_problem_with_its_status() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", TEXT, re.MULTILINE)
    assert {name: int(status) for name, status in told} == {
        name: kind.status for name, kind in KINDS.items()
    }


async def test_the_reference_lists_every_metric(api: Caller, metrics: Metrics) -> None:
    metrics.granted("velero", 0.1)
    metrics.reclaimed("velero", "expired")
    metrics.unknown("velero")
    metrics.turned_away("velero")
    metrics.mover_ungoverned("velero")
    metrics.reviewed("token", "accepted")
    metrics.ca_unpublished("velero")
    metrics.api_request("update", "leases", "200", 0.02)
    names = {name.split(" ", maxsplit=1)[0] for name in samples(await api("GET", "/metrics"))}
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in names}
    assert set(re.findall("`(nodeslots_[a-z_]+)`", TEXT)) == {
        name for name in shown if name.startswith("nodeslots_")
    }

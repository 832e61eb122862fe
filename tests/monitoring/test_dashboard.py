"""Every query of the dashboard, asked of a real Prometheus that scrapes a busy coordinator.

And every alert's rule, evaluated by it.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.rendering import DEPLOY
from tests.deploy.test_alerts import rules
from tests.monitoring import busy, prometheus
from tests.monitoring.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.monitoring.busy import Busy
    from tests.monitoring.prometheus import Prometheus

pytestmark = pytest.mark.xdist_group("monitoring")
"""On one worker: each would start a coordinator of its own."""
DASHBOARD: dict[str, Any] = json.loads(
    (DEPLOY / "monitoring" / "dashboard" / "dashboard.json").read_text()
)
GRAFANA = {"$pool": ".*", "$__rate_interval": "10m"}
"""What Grafana puts in: "All" pools, and a while that has all that happened here in it."""
WITHOUT_NODES = {"Nodes"}
"""The panels that are rightly empty where a pool shows no metrics by node."""
PATIENCE = 30.0
"""Seconds for a query to have data."""


def asked() -> Iterator[tuple[str, str, bool]]:
    """Title of the panel, query with Grafana's variables filled in, whether it is a range query."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            text = target["expr"]
            for name, value in GRAFANA.items():
                text = text.replace(name, value)
            yield panel["title"], text, bool(target.get("range"))


QUERIES = list(asked())


@dataclass
class Seen:
    """What Prometheus answered."""

    answers: dict[str, list[Any] | QueryError]
    """By query."""
    rules: list[Any]
    pools: list[str]


async def _answers(
    asks: Prometheus, began: float, empty: set[str]
) -> dict[str, list[Any] | QueryError]:
    """To each query. Save for the `empty` panels it is asked until there is data: at a moment when
    a scrape takes too long, Prometheus has none.
    """
    found: dict[str, list[Any] | QueryError] = {}
    for panel, text, ranged in QUERIES:
        end = time.monotonic() + PATIENCE
        found[text] = answer = await _asked(asks, text, began if ranged else None)
        while panel not in empty and not numbers(answer) and time.monotonic() < end:
            await asyncio.sleep(0.1)
            found[text] = answer = await _asked(asks, text, began if ranged else None)
    return found


async def _asked(asks: Prometheus, text: str, began: float | None) -> list[Any] | QueryError:
    """For a range query since it `began`."""
    try:
        if began is None:
            return await asks.query(text)
        return await asks.series(text, began, time.time())
    except QueryError as error:
        return error


async def _see(folder: Path, by_node: str) -> Seen:
    """Let Prometheus watch a coordinator from before its first grant on, then ask everything."""
    began = time.time()
    async with busy.running(folder, "--metrics-per-node", by_node) as coordinator:
        target = coordinator.url.removeprefix("https://")
        with prometheus.running(folder, target, rules(folder), coordinator.session) as asks:
            await busy.until(asks.is_ready, "Prometheus is ready")
            await _scraped(asks, "nodeslots_pool_ready == 1")
            await busy.live(coordinator)
            await _whole(asks, coordinator)
            listed = await asks.label_values("nodeslots_pool_ready", "namespace")
            answers = await _answers(asks, began, rightly_empty(by_node))
            return Seen(answers, await asks.rules(), listed)


async def _scraped(asks: Prometheus, query: str) -> None:
    await busy.until(lambda: asks.query(query), f"{query} in Prometheus")


async def _whole(asks: Prometheus, coordinator: Busy) -> None:
    """The last thing that happened was scraped, and every rule was looked at since."""
    await _scraped(asks, "nodeslots_pool_queue_length == 1 and nodeslots_pool_slots_held == 1")
    await _scraped(asks, "nodeslots_movers_ungoverned_total == 1")

    async def evaluated() -> bool:
        return all(one["health"] != "unknown" for one in await asks.rules())

    await busy.until(evaluated, "every rule was evaluated")


@pytest.fixture(scope="module", params=["always", "never"])
def by_node(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def seen(by_node: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    prometheus.program()
    folder = tmp_path_factory.mktemp("prometheus")
    return asyncio.run(_see(folder, by_node))


@pytest.mark.parametrize(("panel", "query"), [(panel, text) for panel, text, _ in QUERIES])
def test_a_query_of_the_dashboard_is_answered_with_data(
    seen: Seen, by_node: str, panel: str, query: str
) -> None:
    answer = seen.answers[query]
    assert not isinstance(answer, QueryError), answer
    assert bool(numbers(answer)) is (panel not in rightly_empty(by_node)), answer


def rightly_empty(by_node: str) -> set[str]:
    return WITHOUT_NODES if by_node == "never" else set()


def numbers(answer: list[Any] | QueryError) -> list[float]:
    """Every value that can be drawn: a histogram of nothing is NaN."""
    if isinstance(answer, QueryError):
        return []
    points = [one.get("values") or [one["value"]] for one in answer]
    found = [float(value) for series in points for _, value in series]
    return [value for value in found if value == value]


def test_the_pools_of_the_dashboards_menu_are_found(seen: Seen) -> None:
    (pools,) = (one for one in DASHBOARD["templating"]["list"] if one["type"] == "query")
    call = re.fullmatch(r"label_values\((\w+), (\w+)\)", pools["query"]["query"])
    assert call
    assert call.groups() == ("nodeslots_pool_ready", "namespace")
    assert seen.pools == [busy.NS]


def test_what_the_panels_show_is_what_happened(seen: Seen) -> None:
    shown = {panel: numbers(list(seen.answers[text])) for panel, text, _ in QUERIES}  # type: ignore[arg-type]
    assert shown["Slots held"] == [1]
    assert shown["Waiting"] == [1]
    assert shown["Leader"] == [1]
    assert 89 * 86400 < shown["Certificate ends in"][0] <= 90 * 86400


def test_prometheus_evaluates_every_alert_without_an_error(seen: Seen) -> None:
    assert {(one["name"], one["health"], one.get("lastError", "")) for one in seen.rules} == {
        (one["name"], "ok", "") for one in seen.rules
    }
    firing = {one["name"] for one in seen.rules if one["state"] == "firing"}
    assert firing <= {"NodeSlotsMoversUngoverned", "NodeSlotsReclaimedFromSilent"}

"""Alerts and dashboard ask for metrics that there are, in a language that Prometheus reads."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from coordinator.service.metrics import Metrics, QueueLimits
from coordinator.service.metrics_table import PER_NODE
from tests.api.fakes import FakePool
from tests.deploy.rendering import DEPLOY

if TYPE_CHECKING:
    from collections.abc import Iterator

MONITORING = DEPLOY / "monitoring"
OPERATIONS = DEPLOY.parent / "docs" / "operations.md"
RULES: list[dict[str, Any]] = yaml.safe_load(
    (MONITORING / "alerts" / "prometheusrule.yaml").read_text()
)["spec"]["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard" / "dashboard.json").read_text())
PROMETHEUS_OWN = {"up": {"job"}}
OWN_VARIABLES = {"$__rate_interval": "5m", '"$pool"': '".*"'}
"""What Grafana puts in before it asks."""


@cache
def samples() -> dict[str, set[str]]:
    """The name of every sample that a coordinator shows, with its labels."""
    metrics = Metrics(queue_limits=QueueLimits(1000, 20_000))
    metrics.watch(lambda: [FakePool()])
    metrics.expect("velero")
    metrics.api_request("get", "leases", "200", 0.1)
    metrics.reviewed("token", "accepted")
    metrics.ca_unpublished("velero")
    found = text_string_to_metric_families(metrics.render().decode())
    return {one.name: {*one.labels} for family in found for one in family.samples}


def queries() -> Iterator[tuple[str, str]]:
    """Where a query stands, and what it asks."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def selectors(query: str) -> list[Any]:
    """The metrics that it asks for. Raises ValueError where Prometheus would not read it."""
    for variable, value in OWN_VARIABLES.items():
        query = query.replace(variable, value)
    found: list[Any] = []

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


@pytest.mark.parametrize(("place", "query"), list(queries()))
def test_a_query_asks_only_for_metrics_that_a_coordinator_has(place: str, query: str) -> None:
    asked = selectors(query)
    assert asked
    for one in asked:
        has = PROMETHEUS_OWN.get(one.name) or samples()[one.name]
        assert {matcher.name for matcher in one.matchers.matchers} <= has


def test_a_query_that_is_none_would_be_found() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        selectors("rate(nodeslots_grants_total[5m]")
    assert [one.name for one in selectors("nodeslots_misspelt > 0")] == ["nodeslots_misspelt"]
    assert "nodeslots_misspelt" not in samples()


def test_every_alert_says_whom_it_is_for_and_what_to_do() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_somebody_is_woken_only_where_nobody_gets_a_slot() -> None:
    critical = {one["alert"] for one in RULES if one["labels"]["severity"] == "critical"}
    assert critical == {
        "NodeSlotsCoordinatorDown",
        "NodeSlotsNoLeader",
        "NodeSlotsPoolNotReady",
        "NodeSlotsCertificateExpiresNow",
    }


def test_an_alert_names_only_labels_that_its_query_keeps() -> None:
    for rule in RULES:
        kept = re.findall(r"by \(([^)]*)\)", rule["expr"])
        told = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
        if kept:
            assert told <= {name.strip() for name in kept[0].split(",")}, rule["alert"]


def test_every_alert_has_its_section_in_the_operations_guide() -> None:
    headings = re.findall(r"^#+ (NodeSlots\w+)$", OPERATIONS.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in RULES)


def test_every_panel_explains_itself_and_says_its_unit() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_no_two_panels_lie_on_one_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_what_is_told_of_a_pool_can_be_narrowed_to_one() -> None:
    kinds = "slots|limit|queue_length|longest|pool|grants|wait|handover|hold|reclaims|claims|movers"
    per_pool, shared = re.compile(f"nodeslots_({kinds})"), 'nodeslots_queue_limit{scope="all"}'
    titles = {panel["title"] for panel in DASHBOARD["panels"]}
    for place, query in queries():
        if place in titles and per_pool.search(query) and shared not in query:
            assert 'namespace=~"$pool"' in query, place
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "pool"]


def test_no_query_of_the_dashboard_but_the_table_of_nodes_needs_metrics_by_node() -> None:
    by_node = {family.name for family in PER_NODE}
    asked = {
        place for place, query in queries() if by_node & {one.name for one in selectors(query)}
    }
    titles = {panel["title"] for panel in DASHBOARD["panels"]}
    assert asked & titles == {"Nodes"}


def test_grafana_knows_the_panels_and_how_old_the_file_is() -> None:
    """The least that its importer looks at; there is no Grafana here to render it."""
    assert {panel["type"] for panel in DASHBOARD["panels"]} == {"stat", "timeseries", "table"}
    assert DASHBOARD["schemaVersion"] >= 36, "datasources are objects from there on"
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", DASHBOARD["uid"])
    assert "id" not in DASHBOARD, "an id belongs to one Grafana"
    for panel in DASHBOARD["panels"]:
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert all(one["datasource"] == panel["datasource"] for one in panel["targets"])

"""Every alert fires when it should, after the time that it should, and not while all is well.

Prometheus's own promtool runs the rules over made-up series.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.deploy.rendering import DEPLOY
from tests.tools.programs import PROMTOOL, ToolError
from tests.tools.using import tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.tools.programs import Tool

SPEC: Any = yaml.safe_load((DEPLOY / "monitoring" / "alerts" / "prometheusrule.yaml").read_text())[
    "spec"
]
POOL = 'job="node-slots",namespace="velero"'
NODE = POOL + ',node="node1"'
WELL: dict[str, str | None] = {
    'up{job="node-slots",pod="a"}': "1",
    'up{job="node-slots",pod="b"}': "1",
    'nodeslots_leading{job="node-slots",pod="a"}': "1",
    'nodeslots_leading{job="node-slots",pod="b"}': "0",
    f"nodeslots_pool_ready{{{POOL}}}": "1",
    f"nodeslots_config_accepted{{{POOL}}}": "1",
    f"nodeslots_longest_wait_seconds{{{NODE}}}": "900",
    f"nodeslots_slots_unresponsive{{{NODE}}}": "0",
    f"nodeslots_pool_longest_wait_seconds{{{POOL}}}": "900",
    f"nodeslots_pool_slots_unresponsive{{{POOL}}}": "0",
    f"nodeslots_pool_longest_queue{{{POOL}}}": "700",
    f"nodeslots_pool_queue_length{{{POOL}}}": "9000",
    'nodeslots_pool_queue_length{job="node-slots",namespace="scans"}': "6000",
    'nodeslots_queue_limit{job="node-slots",pod="a",scope="node"}': "1000",
    'nodeslots_queue_limit{job="node-slots",pod="b",scope="node"}': "1000",
    'nodeslots_queue_limit{job="node-slots",pod="a",scope="all"}': "20000",
    'nodeslots_queue_limit{job="node-slots",pod="b",scope="all"}': "20000",
    'nodeslots_certificate_expiry_timestamp_seconds{job="node-slots",pod="a"}': "5184000",
    'nodeslots_certificate_expiry_timestamp_seconds{job="node-slots",pod="b"}': "0",
    f'nodeslots_reclaims_total{{{POOL},reason="finished"}}': "0+3",
    f'nodeslots_reclaims_total{{{POOL},reason="expired"}}': "0",
    f"nodeslots_claims_turned_away_total{{{POOL}}}": "0",
    f"nodeslots_ca_publish_failures_total{{{POOL}}}": "0",
    f"nodeslots_movers_ungoverned_total{{{POOL}}}": "3",
    f"nodeslots_movers_near_timeout{{{POOL}}}": "0",
    'nodeslots_api_requests_total{job="node-slots",verb="update",code="200"}': "0+100",
    'nodeslots_api_requests_total{job="node-slots",verb="update",code="409"}': "0+20",
    'nodeslots_api_requests_total{job="node-slots",verb="update",code="500"}': "0+3",
}
"""Series by name, and how each goes on from minute to minute: START, or START+STEP."""
GONE = None
POOLS = {"job": "node-slots", "namespace": "velero"}
NODES = POOLS | {"node": "node1"}
JOB = {"job": "node-slots"}
Case = tuple[dict[str, str | None], int, dict[str, str]]
CASES: dict[str, Case] = {
    "NodeSlotsCoordinatorDown": (
        {'up{job="node-slots",pod="a"}': "0", 'up{job="node-slots",pod="b"}': GONE},
        5,
        {},
    ),
    "NodeSlotsNoLeader": ({'nodeslots_leading{job="node-slots",pod="a"}': "0"}, 2, JOB),
    "NodeSlotsPoolNotReady": ({f"nodeslots_pool_ready{{{POOL}}}": "0"}, 5, POOLS),
    "NodeSlotsCertificateExpiresSoon": (
        {'nodeslots_certificate_expiry_timestamp_seconds{job="node-slots",pod="a"}': "1000000"},
        60,
        JOB,
    ),
    "NodeSlotsCertificateExpiresNow": (
        {'nodeslots_certificate_expiry_timestamp_seconds{job="node-slots",pod="a"}': "100000"},
        5,
        JOB,
    ),
    "NodeSlotsCaNotPublished": (
        {f"nodeslots_ca_publish_failures_total{{{POOL}}}": "0+1"},
        31,
        POOLS,
    ),
    "NodeSlotsReplicaDown": (
        {'up{job="node-slots",pod="b"}': "0"},
        15,
        JOB | {"pod": "b"},
    ),
    "NodeSlotsConfigRefused": ({f"nodeslots_config_accepted{{{POOL}}}": "0"}, 5, POOLS),
    "NodeSlotsStarvedNode": ({f"nodeslots_longest_wait_seconds{{{NODE}}}": "4000"}, 5, NODES),
    "NodeSlotsQueueFull": (
        {f"nodeslots_claims_turned_away_total{{{POOL}}}": "0+5"},
        11,
        POOLS,
    ),
    "NodeSlotsQueueNearBound": ({f"nodeslots_pool_longest_queue{{{POOL}}}": "810"}, 5, POOLS),
    "NodeSlotsUnresponsiveHolder": ({f"nodeslots_slots_unresponsive{{{NODE}}}": "2"}, 15, NODES),
    "NodeSlotsMoversUngoverned": (
        {f"nodeslots_movers_ungoverned_total{{{POOL}}}": "0+1"},
        1,
        POOLS,
    ),
    "NodeSlotsMoversNearTimeout": ({f"nodeslots_movers_near_timeout{{{POOL}}}": "2"}, 1, POOLS),
    "NodeSlotsReclaimedFromSilent": (
        {f'nodeslots_reclaims_total{{{POOL},reason="expired"}}': "0+1"},
        1,
        POOLS | {"reason": "expired"},
    ),
    "NodeSlotsApiServerErrors": (
        {'nodeslots_api_requests_total{job="node-slots",verb="update",code="500"}': "0+20"},
        11,
        JOB,
    ),
}
"""By alert: what is different, from which minute on it fires, and the labels that it has."""
BY_POOL: dict[str, Case] = {
    "NodeSlotsStarvedNode": (
        {f"nodeslots_pool_longest_wait_seconds{{{POOL}}}": "4000"},
        5,
        POOLS,
    ),
    "NodeSlotsUnresponsiveHolder": (
        {f"nodeslots_pool_slots_unresponsive{{{POOL}}}": "2"},
        15,
        POOLS,
    ),
}
"""The same for a pool that shows no metrics by node."""
WITHOUT_NODES: dict[str, str | None] = {name: None for name in WELL if 'node="' in name}
LONG = 240


@pytest.fixture(scope="module")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Tool:
    return tool(PROMTOOL, tmp_path_factory.mktemp("promtool"))


def rules(folder: Path, *, told: bool = True) -> Path:
    """The rules as Prometheus itself reads them; without annotations for tests of labels alone."""
    kept = [
        rule if told else {key: rule[key] for key in rule if key != "annotations"}
        for rule in SPEC["groups"][0]["rules"]
    ]
    path = folder / "rules.yaml"
    path.write_text(json.dumps({"groups": [{"name": "node-slots", "rules": kept}]}))
    return path


def run(promtool: Tool, folder: Path, changed: Mapping[str, str | None], expected: Any) -> None:
    """Raises `ToolError` where an alert is otherwise than expected."""
    series = WELL | dict(changed)
    unit = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": f"{value}{'' if '+' in value else '+0'}x{LONG}"}
            for name, value in series.items()
            if value is not None
        ],
        "alert_rule_test": expected,
    }
    path = folder / "test.yaml"
    whole = {"rule_files": [str(rules(folder, told=False))], "tests": [unit]}
    path.write_text(json.dumps(whole))
    promtool(["test", "rules", path])


def expect(alert: str, minute: int, *labels: Mapping[str, str]) -> dict[str, Any]:
    alerts = [{"exp_labels": dict(one)} for one in labels]
    return {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": alerts}


def test_prometheus_itself_reads_the_rules_and_their_templates(
    promtool: Tool, tmp_path: Path
) -> None:
    assert "SUCCESS" in promtool(["check", "rules", rules(tmp_path)])


def test_there_is_a_case_for_every_alert() -> None:
    assert set(CASES) == {rule["alert"] for rule in SPEC["groups"][0]["rules"]}


def test_nothing_fires_while_all_is_well(promtool: Tool, tmp_path: Path) -> None:
    run(promtool, tmp_path, {}, [expect(alert, LONG) for alert in CASES])


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_when_it_should_and_no_sooner(
    alert: str, promtool: Tool, tmp_path: Path
) -> None:
    changed, minute, labels = CASES[alert]
    (rule,) = (one for one in SPEC["groups"][0]["rules"] if one["alert"] == alert)
    fires = expect(alert, minute, labels | rule["labels"])
    run(promtool, tmp_path, changed, [expect(alert, minute - 1), fires])


def test_no_alert_needs_metrics_by_node(promtool: Tool, tmp_path: Path) -> None:
    for alert, (changed, minute, labels) in BY_POOL.items():
        (rule,) = (one for one in SPEC["groups"][0]["rules"] if one["alert"] == alert)
        fires = expect(alert, minute, labels | rule["labels"])
        run(promtool, tmp_path, WITHOUT_NODES | changed, [expect(alert, minute - 1), fires])
    run(promtool, tmp_path, WITHOUT_NODES, [expect(alert, LONG) for alert in CASES])


def test_the_sum_of_a_pool_says_nothing_that_its_nodes_said(promtool: Tool, tmp_path: Path) -> None:
    waits = {f"nodeslots_longest_wait_seconds{{{NODE}}}": "4000"}
    waits |= {f"nodeslots_pool_longest_wait_seconds{{{POOL}}}": "4000"}
    labels = NODES | {"severity": "warning"}
    run(promtool, tmp_path, waits, [expect("NodeSlotsStarvedNode", 10, labels)])


def test_all_queues_together_have_a_bound_too(promtool: Tool, tmp_path: Path) -> None:
    many = {f"nodeslots_pool_queue_length{{{POOL}}}": "11000"}
    labels = JOB | {"severity": "warning"}
    run(promtool, tmp_path, many, [expect("NodeSlotsQueueNearBound", 5, labels)])


def test_a_rule_that_is_wrong_would_be_found(promtool: Tool, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="NodeSlotsNoLeader"):
        run(promtool, tmp_path, {}, [expect("NodeSlotsNoLeader", 60, JOB)])
